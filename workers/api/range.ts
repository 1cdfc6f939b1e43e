/** The range of time that a question is about: `from` and `to` of a URL, checked. */
import * as v from "valibot";
import { parseTime } from "../query/language/time.ts";
import type { ApiContext } from "./context.ts";
import { fail } from "./errors.ts";
import { type Input, readParams, scriptName } from "./input.ts";

const DEFAULT_FROM = "-1h";
/** Rollups are kept for longer, but a chart of more is asked for year by year. */
const MAX_RANGE_MS = 400 * 86_400_000;
const MAX_TIME_CHARS = 64;

const time = v.optional(v.pipe(v.string(), v.maxLength(MAX_TIME_CHARS)));
const Params = v.object({ from: time, to: time, script: v.optional(scriptName) });

export interface Range {
  /** ms since the epoch, half-open. */
  from: number;
  to: number;
  script: string | undefined;
}

export function readRange(c: ApiContext, now: number, defaultFrom = DEFAULT_FROM): Input<Range> {
  const params = readParams(c, Params);
  if (!params.ok) return params;
  const from = parseTime(params.value.from ?? defaultFrom, now);
  const to = parseTime(params.value.to ?? "now", now);
  if (from === undefined) return refuse("from", "is not a time");
  if (to === undefined) return refuse("to", "is not a time");
  if (from >= to) return refuse("from", "must be before `to`");
  if (to - from > MAX_RANGE_MS) return refuse("from", "is more than 400 days before `to`");
  return { ok: true, value: { from, to, script: params.value.script } };
}

function refuse(name: string, what: string): Input<never> {
  const expected = "ISO 8601, epoch ms, or relative (-1h, now)";
  const failure = fail("bad_request", `\`${name}\` ${what}.`, { details: { parameter: name, expected } });
  return { ok: false, failure };
}
