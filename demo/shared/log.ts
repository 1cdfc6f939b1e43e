/** Structured logs, as a shop's team would have them: one JSON object per line, fields first-class. */
import { channel } from "node:diagnostics_channel";

type Fields = Record<string, unknown>;

export const log = {
  debug: (message: string, fields: Fields = {}) => console.debug({ message, ...fields }),
  info: (message: string, fields: Fields = {}) => console.log({ message, ...fields }),
  warn: (message: string, fields: Fields = {}) => console.warn({ message, ...fields }),
  /** Every Error of the chain, and those that an AggregateError holds, as an argument of its own: only then does its stack reach a tail. */
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
  return error instanceof AggregateError ? [...chain, ...error.errors.slice(0, MAX_CAUSES)] : chain;
}

/** An Error inside of an object arrives as `{}`: who wants to log one as data writes it out. */
export function describeError(error: unknown): { name: string; message: string; stack?: string } {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, stack } = error;
  return stack === undefined ? { name, message } : { name, message, stack };
}

const business = channel("shop.business");
const upstream = channel("shop.upstream");

/** Business facts, apart from the log: who subscribes to the channel gets objects, not text. */
export const recordFact = (name: string, fields: Fields) => business.publish({ name, ...fields });

/** One call to something that is not ours, with what it took. */
export const recordUpstream = (service: string, ms: number, ok: boolean) => upstream.publish({ service, ms, ok });
