/** One question to a service's management API: JSON in, a checked value out, failures in plain words. Resources of the catalog use it. */
import * as v from "valibot";
import type { Failure, Io, OutgoingRequest } from "../contract.ts";
import { failureOf } from "../sending/outcomes.ts";

export type Asked<T> = { ok: true; value: T } | { ok: false; failure: Failure };

/** What to do about the failures that somebody can mend. */
export type Advice = Partial<Record<Failure["kind"], string>>;

export async function ask<T>(
  io: Io,
  service: { name: string; advice: Advice },
  request: OutgoingRequest,
  shape: v.GenericSchema<unknown, T>,
): Promise<Asked<T>> {
  const answer = await io.request(request);
  if (!answer.ok) return answer;
  const { status, text } = answer;
  if (status < 200 || status >= 300) {
    const failure = failureOf(answer, io.now());
    const advice = service.advice[failure.kind];
    const message = `${service.name}: ${failure.message}${advice === undefined ? "" : ` – ${advice}`}`;
    return { ok: false, failure: { ...failure, message } };
  }
  const read = v.safeParse(shape, parse(text));
  if (read.success) return { ok: true, value: read.output };
  const message = `What answered (status ${status}) does not speak as ${service.name} does: a proxy or a log-in page, or another service. Check the address.`;
  return { ok: false, failure: { kind: "lying", message, status } };
}

/** An answer without a body stands for nothing, not for a broken one. */
function parse(text: string): unknown {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
