/** Structured logs, as a shop's team would have them: one JSON object per line, fields first-class. */
import { channel } from "node:diagnostics_channel";

type Fields = Record<string, unknown>;

export const log = {
  debug: (message: string, fields: Fields = {}) => console.debug({ message, ...fields }),
  info: (message: string, fields: Fields = {}) => console.log({ message, ...fields }),
  warn: (message: string, fields: Fields = {}) => console.warn({ message, ...fields }),
  /** Every Error of the chain as an argument of its own: only then does its stack reach a tail. */
  error: (message: string, error: unknown, fields: Fields = {}) => console.error(message, ...chainOf(error), fields),
};

/** Enough for any chain that people write, and an end for one that is circular. */
const MAX_CAUSES = 5;

function chainOf(error: unknown): unknown[] {
  const chain = [error];
  for (let next = error; chain.length < MAX_CAUSES && next instanceof Error && next.cause !== undefined; ) {
    next = next.cause;
    chain.push(next);
  }
  return chain;
}

const business = channel("shop.business");
const upstream = channel("shop.upstream");

/** Business facts, apart from the log: who subscribes to the channel gets objects, not text. */
export const recordFact = (name: string, fields: Fields) => business.publish({ name, ...fields });

/** One call to something that is not ours, with what it took. */
export const recordUpstream = (service: string, ms: number, ok: boolean) => upstream.publish({ service, ms, ok });
