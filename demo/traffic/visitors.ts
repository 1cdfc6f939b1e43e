/** Visitors: a population of regulars, each always from the same place with the same device. */
import { AGENTS, type Agent } from "./agents.ts";
import { PLACES, type Place } from "./places.ts";
import type { Random } from "./random.ts";

export interface Visitor {
  userId: string;
  email: string;
  place: Place;
  agent: Agent;
  ip: string;
}

/** Enough that user ids are a field of high cardinality, few enough that people return. */
const POPULATION = 2_000;
const FIRST_USER = 1_000;
const NAMES = ["anna", "ben", "chloe", "dmitri", "emeka", "fatima", "goran", "hana", "ines", "jonas", "kaito", "lena"];

/** The same number always gives the same visitor of that seed. */
export function visitorAt(createFrom: (seed: number) => Random, seed: number, number: number): Visitor {
  const random = createFrom(seed * 7_919 + number);
  const place = random.weighted(PLACES);
  const userId = `u-${FIRST_USER + number}`;
  const block = random.pick(["192.0.2", "198.51.100", "203.0.113"]);
  return {
    userId,
    email: `${random.pick(NAMES)}.${FIRST_USER + number}@mail.example`,
    place,
    agent: random.weighted(AGENTS),
    ip: random.chance(0.3)
      ? `2001:db8:${(number % 65_536).toString(16)}::${random.between(1, 9_999).toString(16)}`
      : `${block}.${random.between(1, 254)}`,
  };
}

export const drawVisitorNumber = (random: Random) => random.between(0, POPULATION - 1);
