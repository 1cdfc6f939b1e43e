/** Over-represented attributes in words. Pure. */
import type { AttributeFinding, AttributesAnswer } from "../../../workers/api/contract.ts";
import { count, percent } from "./format.ts";

/** Beyond this the figure says "nearly all of them here, nearly none there". */
const MOST_ODDS = 1000;

/** An odds ratio with two digits: `7.2×`, `36×`, `> 1,000×`. */
export function oddsText(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio) || ratio > MOST_ODDS) return "> 1,000×";
  if (ratio < 0.01) return "< 0.01×";
  return `${Number(ratio.toPrecision(2)).toLocaleString("en")}×`;
}

const bound = (ratio: number | null): string => oddsText(ratio).replace("> 1,000×", "1,000+").replace("×", "");

/** `53 to 1,000+`: where the ratio lies. */
export const intervalText = ([low, high]: AttributeFinding["interval"]): string => `${bound(low)} to ${bound(high)}`;

export function findingText(f: AttributeFinding, script: string): string {
  return `${f.attribute} is ${f.value === "" ? "empty" : f.value} in ${percent(f.issueShare)} of this issue's invocations, and in ${percent(f.workerShare)} of all of ${script}'s.`;
}

/** More values that say the same are in the title. */
const ALIKE_SHOWN = 2;

/** Values that the very same invocations have: one finding, not many. */
export function alikeText(
  { alike }: Pick<AttributeFinding, "alike">,
  nameOf: (a: { attribute: string; value: string }) => string,
  most = ALIKE_SHOWN,
): string {
  const named = alike.slice(0, most).map((a) => `${a.attribute} ${nameOf(a)}`);
  const more = alike.length - named.length;
  return `the same ones: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function part(looked: number, whole: number, fraction: number): string {
  return fraction < 1 ? `a sample of ${count(looked)} of ${count(whole)}` : count(whole);
}

/** What was compared with what, and what the correction is for. */
export function comparedText(data: Pick<AttributesAnswer, "inIssue" | "inWorker" | "looked" | "comparisons">): string {
  const { inIssue, inWorker, looked, comparisons } = data;
  const rest = Math.max(0, inWorker - inIssue);
  return `${part(looked.issue, inIssue, looked.fractions.issue)} invocations of the issue beside ${part(looked.rest, rest, looked.fractions.rest)} others; ${count(comparisons.values)} values of ${count(comparisons.attributes)} attributes compared, corrected for as many comparisons.`;
}
