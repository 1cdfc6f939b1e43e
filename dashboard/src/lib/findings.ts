/** Over-represented attributes in words. Pure. */
import type { AttributeFinding } from "../../../workers/api/contract.ts";
import { percent } from "./format.ts";

/** Beyond this the figure says "nearly all of them here, nearly none there". */
const MOST_ODDS = 1000;

/** An odds ratio with two digits: `7.2×`, `36×`, `> 1,000×`. */
export function oddsText(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio) || ratio > MOST_ODDS) return "> 1,000×";
  if (ratio < 0.01) return "< 0.01×";
  return `${Number(ratio.toPrecision(2)).toLocaleString("en")}×`;
}

export function findingText(f: AttributeFinding, script: string): string {
  return `${f.attribute} is ${f.value === "" ? "empty" : f.value} in ${percent(f.issueShare)} of this issue's invocations, and in ${percent(f.workerShare)} of all of ${script}'s.`;
}
