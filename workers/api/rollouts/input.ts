/**
 * What a start and a command of a rollout may say: their shape. Whether a plan
 * makes sense (ascending steps, readable filters) is for the guard to say
 * (`rollouts/decide/plan.ts`), which also fills in what is left out.
 */
import * as v from "valibot";
import { MAX_QUERY_GATES, MAX_STEP_MINUTES, MAX_STEPS } from "../../rollouts/contract.ts";
import { ROLLOUT_STATES } from "../contract.ts";
import { plainText, scriptName, wholeNumber } from "../input.ts";

/** A plan with ten query gates of long filters. */
export const ROLLOUT_BODY = 64 << 10;
const MAX_FILTER_CHARS = 2_000;
const MAX_REASON_CHARS = 500;
const MAX_MS = 24 * 3_600_000;
export const MAX_ROWS = 100;

const number = v.pipe(v.number("A number is expected."), v.finite("A finite number is expected."));
const between = (min: number, max: number, unit: string) => {
  const says = `${min} to ${max} ${unit} are allowed.`;
  return v.pipe(number, v.minValue(min, says), v.maxValue(max, says));
};
const whole = (min: number, max: number, unit: string) =>
  v.pipe(between(min, max, unit), v.integer("A whole number is expected."));

const share = between(0, 1, "(a fraction: 0.005 is half a percent)");
const percent = v.pipe(
  number,
  v.gtValue(0, "A percentage above 0 is expected."),
  v.maxValue(100, "A percentage of 100 at most is expected."),
);

const rateGate = v.strictObject({ minEffect: share });
const quantileGate = v.strictObject({
  quantile: v.pipe(
    number,
    v.gtValue(0, "A quantile is between 0 and 1, as 0.99."),
    v.ltValue(1, "A quantile is between 0 and 1, as 0.99."),
  ),
  tolerance: between(0, 100, "(a fraction: 0.5 is half as much again)"),
  minMs: between(0, MAX_MS, "ms"),
});
const queryGate = v.strictObject({
  name: plainText(100),
  filter: v.pipe(v.string(), v.minLength(1, "A filter is expected, as `level:error`."), v.maxLength(MAX_FILTER_CHARS)),
  minEffect: share,
});
const gates = v.strictObject({
  errors: v.optional(v.nullable(rateGate)),
  duration: v.optional(v.nullable(quantileGate)),
  cpu: v.optional(v.nullable(quantileGate)),
  issues: v.optional(v.nullable(v.strictObject({ max: whole(0, 1_000, "issues") }))),
  queries: v.optional(
    v.pipe(v.array(queryGate), v.maxLength(MAX_QUERY_GATES, `At most ${MAX_QUERY_GATES} are allowed.`)),
  ),
});
const step = v.strictObject({ percent, soakMinutes: between(0, MAX_STEP_MINUTES, "minutes") });
const plan = v.strictObject({
  steps: v.optional(
    v.pipe(
      v.array(step),
      v.minLength(1, "At least one step is expected."),
      v.maxLength(MAX_STEPS, `At most ${MAX_STEPS} steps are allowed.`),
    ),
  ),
  gates: v.optional(gates),
  minSamples: v.optional(whole(1, 1e9, "invocations")),
  stepLimitMinutes: v.optional(between(1, MAX_STEP_MINUTES, "minutes")),
  mode: v.optional(v.picklist(["act", "advise"], "`act` or `advise` is expected.")),
});

export const StartBody = v.strictObject({
  id: v.optional(v.pipe(v.string(), v.uuid("A UUID is expected."))),
  script: scriptName,
  version: plainText(100),
  plan: v.optional(plan),
  force: v.optional(v.boolean()),
});

/** Of several lines: people paste. The record keeps it on one. */
const reason = v.pipe(
  v.string(),
  v.maxLength(MAX_REASON_CHARS),
  v.transform((text) => text.replace(/[\p{Cc}\p{Cs}]+/gu, " ").trim()),
);
export const CommandBody = v.strictObject({ reason: v.optional(reason), percent: v.optional(percent) });

/** Ids are UUIDs or like them: nothing that would have to be escaped. */
export const RolloutId = { id: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, "A rollout's id is expected.")) };
/** `script` saves the look-up of the id: by it a rollout is found and taken back while D1 is away. */
export const OneRollout = v.object({ ...RolloutId, script: v.optional(scriptName) });

export const ListParams = v.object({
  script: v.optional(scriptName),
  /** `running`: all that have not ended. */
  state: v.optional(v.picklist([...ROLLOUT_STATES, "ended"])),
  limit: v.optional(wholeNumber(1, MAX_ROWS)),
  before: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
});
export type ListRequest = v.InferOutput<typeof ListParams>;
