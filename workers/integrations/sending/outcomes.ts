/** What one request means for the items that were in it. `exporter`s of several protocols put their results together with it. */

import { retryAfterMs } from "../../util/retry-after.ts";
import type { Failure, ItemOutcome, OutgoingAnswer, SendResult } from "../contract.ts";
import { looksLikeHtml, said } from "./said.ts";

/** The fate of all items of one request. */
export type Verdict =
  | { fate: "delivered"; rejected?: { count: number; message: string } }
  | { fate: "refused" | "again"; failure: Failure };

export const delivered: Verdict = { fate: "delivered" };
export const again = (failure: Failure): Verdict => ({ fate: "again", failure });
export const refused = (failure: Failure): Verdict => ({ fate: "refused", failure });

export function outcomeOf(verdict: Verdict): ItemOutcome {
  if (verdict.fate === "delivered") return "delivered";
  return verdict.fate === "refused" ? { refused: verdict.failure } : { again: verdict.failure };
}

/** Outcomes in the order of the items, whatever the order of the requests was. */
export class Outcomes {
  private readonly outcomes: ItemOutcome[];
  private requests = 0;
  private rejected = 0;
  private rejectedMessage = "";

  constructor(items: number) {
    this.outcomes = new Array(items);
  }

  /** @param indices of the items that were in the request */
  set(indices: readonly number[], verdict: Verdict): void {
    const outcome = outcomeOf(verdict);
    for (const index of indices) this.outcomes[index] = outcome;
    if (verdict.fate !== "delivered" || verdict.rejected === undefined) return;
    this.rejected += verdict.rejected.count;
    this.rejectedMessage ||= verdict.rejected.message;
  }

  requested(): void {
    this.requests++;
  }

  result(): SendResult {
    for (let i = 0; i < this.outcomes.length; i++) {
      if (this.outcomes[i] === undefined) throw new Error(`BUG: item ${i} of ${this.outcomes.length} has no outcome`);
    }
    const rejectedByReceiver = { count: this.rejected, message: this.rejectedMessage };
    return { outcomes: this.outcomes, requests: this.requests, ...(this.rejected > 0 && { rejectedByReceiver }) };
  }
}

/** What HTTP's own meaning says of an answer that is no success; a protocol decides which codes it tries again. */
export function failureOf(
  answer: Extract<OutgoingAnswer, { ok: true }>,
  nowMs: number,
  text: string = answer.text,
): Failure {
  const { status } = answer;
  const words = said(text);
  const message = `Status ${status}${words === "" ? "" : `: ${words}`}`;
  const wait = retryAfterMs(answer.headers.get("retry-after"), nowMs);
  return { kind: kindOf(status), message, status, ...(wait !== null && { retryAfterMs: wait }) };
}

function kindOf(status: number): Failure["kind"] {
  if (status === 401 || status === 403 || status === 407) return "unauthorized";
  // An answer that only announces another speaks of no content: something else listens there.
  if (status === 404 || status === 405 || status === 410 || status < 200) return "misplaced";
  if (status === 408) return "timeout";
  if (status === 429) return "rate_limited";
  return status >= 500 ? "unavailable" : "refused";
}

/** A proxy's, or a log-in's in front of the receiver: no receiver of events answers with a page for people. */
export function isWebPage({ headers, text }: Extract<OutgoingAnswer, { ok: true }>): boolean {
  return looksLikeHtml(text) || (/^text\/html/i.test(headers.get("content-type") ?? "") && text.trim() !== "");
}

/** @param place ends "a web page where …" */
export function lying({ status }: { status: number }, place: string): Failure {
  const message = `Status ${status}, but with a web page where ${place}. Is this the right address?`;
  return { kind: "lying", message, status };
}

/** For receivers whose protocol is plain HTTP: 408, 429 and 5xx pass, keys and addresses can be mended, the rest is about the content. */
function plainVerdict(failure: Failure): Verdict {
  return failure.kind === "refused" ? refused(failure) : again(failure);
}

/** An answer of such a receiver whose 2xx says all there is. @param place as in `lying` */
export function plainAnswer(answer: OutgoingAnswer, nowMs: number, place: string): Verdict {
  if (!answer.ok) return again(answer.failure);
  if (answer.status < 200 || answer.status >= 300) return plainVerdict(failureOf(answer, nowMs));
  return isWebPage(answer) ? again(lying(answer, place)) : delivered;
}
