/**
 * The state of an issue as people are told it. An ignore whose time has passed is
 * over at that moment, but its row changes only with the next occurrence after it
 * (`transitions.ts`), which makes the notification. So whoever shows a state goes
 * by this: no clock has to write to D1, and nobody misses the return.
 */
import type { IssueState } from "../../api/contract.ts";

/** @param now ms */
export function shownState(state: IssueState, ignoreUntil: number | null, now: number): IssueState {
  return state === "ignored" && ignoreUntil !== null && ignoreUntil <= now ? "unresolved" : state;
}
