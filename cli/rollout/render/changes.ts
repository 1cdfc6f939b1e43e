/**
 * A rollout as a log: a line per line of its record, one when it goes blind or
 * sees again, and now and then one that says that it is still there (a build that
 * prints nothing for long is taken for dead). Knows what it has printed.
 */
import type { RolloutAnswer, RolloutEvent } from "../../../workers/api/contract.ts";
import { safeLine } from "../../safe-text.ts";
import { figure } from "./figures.ts";

/** Systems of CI stop what is silent for ten minutes. */
const SIGN_OF_LIFE_MS = 5 * 60_000;

export class Changes {
  #seq = -1;
  #blind = "";
  #saidAt: number | undefined;

  lines(answer: RolloutAnswer, now: number): string[] {
    const { rollout, events, blind } = answer;
    const fresh = events.filter(({ seq }) => seq > this.#seq);
    const lines = fresh.flatMap(eventLines);
    this.#seq = Math.max(this.#seq, ...fresh.map(({ seq }) => seq));
    const unseen = blind.map(safeLine).join(" ");
    if (unseen !== this.#blind) lines.push(`${clock(now)}  ${unseen === "" ? "sees again" : `cannot see: ${unseen}`}`);
    this.#blind = unseen;
    const isSilent = this.#saidAt !== undefined && now - this.#saidAt >= SIGN_OF_LIFE_MS;
    if (lines.length === 0 && isSilent)
      lines.push(`${clock(now)}  still at ${figure(rollout.percent)} %: ${safeLine(rollout.reason)}`);
    if (lines.length > 0 || this.#saidAt === undefined) this.#saidAt = now;
    return lines;
  }
}

function eventLines({ at, actor, text, issues = [], findings = [] }: RolloutEvent): string[] {
  return [
    `${clock(at)}  ${safeLine(text)}${actor === "guard" ? "" : ` (${safeLine(actor)})`}`,
    ...findings
      .filter(({ level }) => level !== "info")
      .map(({ level, message }) => `          ${level}: ${safeLine(message)}`),
    ...issues.map(({ id, title, type, frame }) => {
      const where = frame === null ? "" : ` at ${safeLine(frame)}`;
      return `          new issue ${id}: ${safeLine(title || type)}${where}`;
    }),
  ];
}

/** As logs of CI have it: UTC. */
export const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);
