/**
 * The gate of new issues: is an issue that came with the version more frequent
 * in it than chance allows? `judge.ts` hands in the counts since the rollout
 * began and the strata, from which the new version's share of the traffic is
 * read.
 *
 * An issue is on the list because the new version had it: its first occurrence
 * is taken as given and says nothing. As it is not known in which minutes the
 * others happened, the largest share that the new version ever had stands for
 * all of them, which can only make an issue look more ordinary than it is. Each
 * of k issues has the kth part of the gate's chance of a false alarm.
 */
import type { GateResult, IssueGate } from "../../api/contract.ts";
import type { IssueCount } from "../contract.ts";
import { Clearance } from "./difference.ts";
import { EvidenceAgainst } from "./evidence-against.ts";
import { fromLog, type Gate, type Look, marginOf } from "./gates.ts";
import { FALSE_ALARM, FALSE_CLEAR } from "./limits.ts";
import type { Counts } from "./strata.ts";
import { count, percent } from "./words.ts";

/** Invocations over which a share of the traffic is read: of fewer, chance makes it large. */
const SHARE_OF = 200;
/** An issue that strikes so few of the invocations need not be known of before a step. */
const MIN_EFFECT = 0.005;

export function issueGate(issues: readonly IssueCount[], all: readonly Counts[], gate: IssueGate, look: Look): Gate {
  const traffic = trafficOf(all, look.since);
  const share = largestShare(all);
  const margin = marginOf(MIN_EFFECT, look.nextShare);
  const logThreshold = -Math.log(FALSE_ALARM.issues / Math.max(1, issues.length));
  const judged = issues.map((issue) => judgeIssue(issue, share, traffic, margin));
  const worse = judged
    .filter(({ logAgainst }) => logAgainst >= logThreshold)
    .sort((a, b) => b.logAgainst - a.logAgainst);
  const logs = judged.map(({ logAgainst }) => logAgainst).sort((a, b) => b - a);
  // Tolerated ones need not be cleared.
  const open = judged.filter((each) => !worse.includes(each));
  const logClearThreshold = -Math.log(FALSE_CLEAR);
  const isWorse = worse.length > gate.max;
  // However rare an issue is that is not tolerated: nothing is clear.
  const most = isWorse ? 0 : noneSeen(traffic.new, margin);
  const logClear = open.reduce((least, each) => Math.min(least, each.logClear), most);
  const isClear = !isWorse && traffic.total.new >= look.minSamples && logClear >= logClearThreshold;
  const verdict = isWorse ? "worse" : isClear ? "not_worse" : "unknown";
  const hits = issues.reduce((sum, issue) => ({ old: sum.old + issue.old, new: sum.new + issue.new }), {
    old: 0,
    new: 0,
  });
  const result: GateResult = {
    id: "issues",
    label: "New issues",
    kind: "issues",
    unit: "issues",
    verdict,
    reason: reasonOf({ verdict, worse, issues, gate, margin, traffic }),
    old: { n: traffic.total.old, hits: hits.old, value: null },
    new: { n: traffic.total.new, hits: hits.new, value: worse.length },
    difference: null,
    // The one that decides: with `max` tolerated, the next after these.
    statistic: fromLog(logs[gate.max] ?? 0),
    threshold: fromLog(logThreshold),
    clearStatistic: fromLog(logClear),
    clearThreshold: fromLog(logClearThreshold),
    margin,
  };
  return { result, isDisaster: false, holds: true };
}

interface Traffic {
  total: { old: number; new: number };
  /** Of the new version, since the present step began. */
  new: number;
}

function trafficOf(all: readonly Counts[], since: number): Traffic {
  const traffic: Traffic = { total: { old: 0, new: 0 }, new: 0 };
  for (const { minute, n0, n1 } of all) {
    if (!(n0 > 0 && n1 > 0)) continue;
    traffic.total.old += n0;
    traffic.total.new += n1;
    if (minute >= since) traffic.new += n1;
  }
  return traffic;
}

/** Of the new version, over the largest of neighbouring minutes that are enough to tell. */
function largestShare(all: readonly Counts[]): number {
  let largest = 0;
  let old = 0;
  let fresh = 0;
  for (const { n0, n1 } of all) {
    old += n0;
    fresh += n1;
    if (old + fresh < SHARE_OF) continue;
    largest = Math.max(largest, fresh / (old + fresh));
    old = 0;
    fresh = 0;
  }
  // What is left over counts only where there is nothing else.
  return largest > 0 || fresh === 0 ? largest : fresh / (old + fresh);
}

interface Judged {
  issue: IssueCount;
  logAgainst: number;
  logClear: number;
}

function judgeIssue(issue: IssueCount, share: number, traffic: Traffic, margin: number): Judged {
  const against = new EvidenceAgainst();
  const repeats = Math.max(0, issue.new - 1);
  if (share > 0 && share < 1 && repeats > 0) {
    // As one large stratum with that share, so that failures are drawn as if with replacement.
    const invocations = 1e9;
    against.close((1 - share) * invocations, issue.old, share * invocations, repeats);
  }
  const clear = new Clearance();
  if (traffic.new > 0) clear.close(traffic.new, 0, traffic.new, Math.min(issue.new, traffic.new));
  return { issue, logAgainst: against.log(), logClear: clear.against(margin) };
}

/** ln of the evidence that no issue strikes `margin` of the invocations when none was seen. */
function noneSeen(n: number, margin: number): number {
  const clear = new Clearance();
  clear.close(n, 0, n, 0);
  return clear.against(margin);
}

function reasonOf(given: {
  verdict: GateResult["verdict"];
  worse: Judged[];
  issues: readonly IssueCount[];
  gate: IssueGate;
  margin: number;
  traffic: Traffic;
}): string {
  const { verdict, worse, issues, gate, margin, traffic } = given;
  const seen = `${count(traffic.total.new)} invocations of the new version`;
  const allowed = gate.max === 0 ? "none is allowed" : `${gate.max} are allowed`;
  if (verdict === "worse") {
    const [first] = worse as [Judged];
    const { issue, old } = first.issue;
    const where = issue.frame === null ? "" : ` at ${issue.frame}`;
    return `${worse.length === 1 ? "An issue is" : `${worse.length} issues are`} new in the version and not chance, ${allowed}: “${issue.title}”${where}, ${count(first.issue.new)} times on the new version, ${count(old)} times on the old one.`;
  }
  const found =
    issues.length === 0
      ? `No issue is new among ${seen}.`
      : `${issues.length === 1 ? "One issue is" : `${issues.length} issues are`} new among ${seen}, ${worse.length === 0 ? "and may be chance" : `${worse.length} of them not by chance, ${allowed}`}.`;
  if (verdict === "not_worse") return `${found} None strikes ${percent(margin)} of them.`;
  return `${found} Not known yet whether one strikes ${percent(margin)} of them.`;
}
