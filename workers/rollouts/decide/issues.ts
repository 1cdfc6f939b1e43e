/**
 * The gate of new issues: is an issue that came with the version more frequent
 * in it than chance allows? `judge.ts` hands in the counts since the rollout
 * began and the strata, from which the new version's share of the traffic is
 * read.
 *
 * An issue is on the list because the new version had it: its first occurrence
 * is taken as given and says nothing. As it is not known in which minutes the
 * others happened, the largest share that the new version ever had stands for
 * all of them, which can only make an issue look more ordinary than it is. The
 * jth issue that appears has 6/(π²j²) of the gate's chance of a false alarm: how
 * many there will be need not be known, and together they never exceed it.
 *
 * Old errors in new clothes must not take a version back: issues that the feed
 * marked (IssueCount.apart) decide nothing, and one that is about as frequent as
 * an old one that is gone may only have moved.
 */
import type { GateResult, IssueGate } from "../../api/contract.ts";
import type { Apart, IssueCount, OldIssueCount } from "../contract.ts";
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
/** Occurrences per invocation of the new version, since it first had the issue, below which nobody need be woken: a fifth of the rate of failures that counts by default, as what is swallowed is often the first sign of more. */
const MIN_RATE = 0.001;
/** An old issue is gone when the new version has less than this part of what was to be expected… */
const GONE = 0.25;
/** …and may be what moved when it is no more than so many times as frequent as the new one. */
const AS_FREQUENT = 4;

export function issueGate(
  issues: readonly IssueCount[],
  all: readonly Counts[],
  gate: IssueGate,
  look: Look,
  oldIssues: readonly OldIssueCount[] = [],
): Gate {
  const traffic = trafficOf(all, look.since);
  const share = largestShare(all);
  const margin = marginOf(MIN_EFFECT, look.nextShare);
  const every = [...issues]
    .sort((a, b) => a.issue.firstSeen - b.issue.firstSeen || a.issue.id - b.issue.id)
    .map((issue, n) => judgeIssue({ issue, rank: n + 1, share, traffic, margin, all, oldIssues }));
  const judged = every
    .filter(({ issue }) => issue.apart === undefined)
    .sort((a, b) => b.logAgainst - b.logThreshold - (a.logAgainst - a.logThreshold));
  const isSure = ({ logAgainst, logThreshold }: Judged) => logAgainst >= logThreshold;
  const worse = judged.filter((each) => isSure(each) && each.rate >= MIN_RATE && each.moved === null);
  const rare = judged.filter((each) => isSure(each) && each.rate < MIN_RATE);
  const moved = judged.filter((each) => isSure(each) && each.rate >= MIN_RATE && each.moved !== null);
  // The one that decides: with `max` tolerated, the next after these.
  const deciding = judged.filter((each) => !moved.includes(each))[gate.max];
  // Tolerated ones, and old ones, need not be cleared.
  const open = judged.filter((each) => !worse.includes(each) && !moved.includes(each));
  const logClearThreshold = -Math.log(FALSE_CLEAR);
  const isWorse = worse.length > gate.max;
  // However rare an issue is that is not tolerated: nothing is clear.
  const most = isWorse ? 0 : noneSeen(traffic.new, margin);
  const logClear = open.reduce((least, each) => Math.min(least, each.logClear), most);
  const isClear = !isWorse && traffic.total.new >= look.minSamples && logClear >= logClearThreshold;
  const verdict = isWorse ? "worse" : isClear ? "not_worse" : "unknown";
  const counted = judged.map(({ issue }) => issue);
  const hits = counted.reduce((sum, issue) => ({ old: sum.old + issue.old, new: sum.new + issue.new }), {
    old: 0,
    new: 0,
  });
  const result: GateResult = {
    id: "issues",
    label: "New issues",
    kind: "issues",
    unit: "issues",
    verdict,
    reason: `${reasonOf({ verdict, worse, issues: counted, gate, margin, traffic })}${notCounted(issues, moved, rare)}`,
    old: { n: traffic.total.old, hits: hits.old, value: null },
    new: { n: traffic.total.new, hits: hits.new, value: worse.length },
    difference: null,
    statistic: fromLog(deciding?.logAgainst ?? 0),
    threshold: fromLog(deciding?.logThreshold ?? thresholdOf(1)),
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
  logThreshold: number;
  logClear: number;
  /** Of the new version's invocations since it first had it. */
  rate: number;
  /** The old issue that it may be. */
  moved: OldIssueCount | null;
}

interface Asked {
  issue: IssueCount;
  /** From 1, in the order of appearance. */
  rank: number;
  share: number;
  traffic: Traffic;
  margin: number;
  all: readonly Counts[];
  oldIssues: readonly OldIssueCount[];
}

function judgeIssue({ issue, rank, share, traffic, margin, all, oldIssues }: Asked): Judged {
  const logThreshold = thresholdOf(rank);
  const clear = new Clearance();
  if (traffic.new > 0) clear.close(traffic.new, 0, traffic.new, Math.min(issue.new, traffic.new));
  const gone = oldIssues.filter((old) => old.kind === issue.kind && isGone(old, issue.new, traffic.total));
  // Together with what is gone it is as frequent as before: then nothing is new but its clothes.
  const moved = gone.find((old) => logOf(issue.old + old.old, issue.new + old.new, share) < logThreshold) ?? null;
  return {
    issue,
    logAgainst: logOf(issue.old, issue.new, share),
    logThreshold,
    logClear: clear.against(margin),
    rate: issue.new / Math.max(1, invocationsSince(all, issue.issue.firstSeen / 1000) || traffic.total.new),
    moved,
  };
}

/** ln of 1 ÷ the chance of a false alarm that the issue has; over all there may ever be they sum to the gate's. */
const thresholdOf = (rank: number): number => -Math.log((FALSE_ALARM.issues * 6) / (Math.PI * rank) ** 2);

/** ln of the evidence that it is the new version's. */
function logOf(old: number, fresh: number, share: number): number {
  const against = new EvidenceAgainst();
  const repeats = Math.max(0, fresh - 1);
  if (share > 0 && share < 1 && repeats > 0) {
    // As one large stratum with that share, so that failures are drawn as if with replacement.
    const invocations = 1e9;
    against.close((1 - share) * invocations, old, share * invocations, repeats);
  }
  return against.log();
}

function isGone({ old, new: fresh }: OldIssueCount, count: number, total: Traffic["total"]): boolean {
  if (old === 0 || total.old === 0) return false;
  const expected = (old * total.new) / total.old;
  return fresh <= GONE * expected && expected <= AS_FREQUENT * count;
}

/** Of the new version, from the minute on in which that second is. */
function invocationsSince(all: readonly Counts[], second: number): number {
  return all.reduce((sum, { minute, n0, n1 }) => (n0 > 0 && n1 > 0 && minute > second - 60 ? sum + n1 : sum), 0);
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

const APART: Record<Apart, string> = {
  known: "the old version has had errors of the same type and message",
  new_unmapped: "no source map of the new version is here, so they cannot be told from old ones",
  old_unmapped: "no source map of the old version is here, so they cannot be told from old ones",
};

/** What looks new and does not decide, and why. */
function notCounted(issues: readonly IssueCount[], moved: readonly Judged[], rare: readonly Judged[]): string {
  const sentences = (Object.keys(APART) as Apart[]).flatMap((apart) => {
    const n = issues.filter((issue) => issue.apart === apart).length;
    return n === 0 ? [] : [` ${n} more ${n === 1 ? "is" : "are"} not counted: ${APART[apart]}.`];
  });
  const [few] = rare;
  if (few !== undefined)
    sentences.push(
      ` “${few.issue.issue.title}” is no chance, but in fewer than ${percent(MIN_RATE)} of the invocations.`,
    );
  const [first] = moved;
  if (first === undefined || first.moved === null) return sentences.join("");
  return `${sentences.join("")} “${first.issue.issue.title}” may only have moved: it is about as frequent as “${first.moved.title}” was, which the new version does not have.`;
}
