/**
 * Where an occurrence belongs: its fingerprint, the issue that it joins, and what
 * the issue is called. `ingest/` calls it for every error that it does not know
 * yet, `issues/` when a source map came late. Pure and synchronous.
 *
 *     v1-<24 hex>   hash of script, kind, and what the algorithm (`keys.ts`) or the
 *                   team's rule (`rules.ts`) says of the error
 *     u1-<24 hex>   of a stack that waits for its source map: of that very stack,
 *                   with lines and columns, and the version that it is from
 */
import { headline } from "../stack/first-line.ts";
import type { SourceTrace } from "../trace.ts";
import { countedOf } from "./chain.ts";
import type { ErrorFacts, Grouping } from "./facts.ts";
import { hash96 } from "./hash.ts";
import { ALGORITHMS, type Algorithm } from "./keys.ts";
import { culpritOf, functionName } from "./names.ts";
import { outcomeInWords } from "./noise.ts";
import { type CompiledRules, type MatchedRule, matchRules, usedFacts } from "./rules.ts";
import { messageTemplate } from "./template.ts";

/** Titles are read in lists. */
const MAX_TITLE_CHARS = 200;
/** Between parts; taken out of them. */
const SEPARATOR = "\u0001";

export function fingerprintOf(facts: ErrorFacts, rules: CompiledRules): Grouping {
  return groupWith(ALGORITHMS, facts, rules);
}

/** The same with other algorithms, newest first: for tests, and to measure a new one beside the old. */
export function groupWith(algorithms: readonly Algorithm[], facts: ErrorFacts, rules: CompiledRules): Grouping {
  const [newest, ...older] = algorithms as [Algorithm, ...Algorithm[]];
  const rule = matchRules(rules, facts);
  const group = keyOf(newest, facts, rule);
  const aliases = older.map((algorithm) => keyOf(algorithm, facts, rule));
  const waits = facts.waitsForMap && facts.trace !== null && !(rule?.isFinal ?? false);
  const { type, title } = nameOf(facts);
  return {
    fingerprint: waits ? ownKey(newest, facts, facts.trace as SourceTrace, rule) : group,
    group,
    aliases: aliases.filter((alias) => alias !== group),
    algorithm: newest.version,
    type,
    title: rule?.title === undefined ? title : clip(rule.title),
    culprit: culprit(facts),
    awaitsMap: waits ? facts.versionId : "",
    ...(waits && rules.uses.size > 0 ? { used: usedFacts(rules, facts) } : {}),
  };
}

function keyOf(algorithm: Algorithm, facts: ErrorFacts, rule: MatchedRule | undefined): string {
  const parts =
    rule === undefined ? algorithm.parts(facts) : ["rule", ...rule.parts(() => algorithm.parts(facts).join(SEPARATOR))];
  return `v${algorithm.version}-${hashOf([facts.script, facts.kind, ...parts])}`;
}

const hashOf = (parts: readonly string[]): string => hash96(parts.join(SEPARATOR));

/** Everything that the stack says, and nothing that a source map would change. */
function ownKey(algorithm: Algorithm, facts: ErrorFacts, trace: SourceTrace, rule: MatchedRule | undefined): string {
  const parts = [facts.script, facts.kind, facts.versionId, facts.type, messageTemplate(facts.message)];
  // One stack may be of several issues, if a rule says so.
  if (rule !== undefined) parts.push("rule", ...rule.fixedParts());
  addFrames(trace, parts, 0);
  return `u${algorithm.version}-${hashOf(parts)}`;
}

function addFrames(trace: SourceTrace, parts: string[], depth: number): void {
  for (const { raw } of trace.frames) parts.push(`${raw.function}@${raw.file}:${raw.line}:${raw.column}`);
  if (depth > MAX_DEPTH) return;
  for (const inner of trace.cause === null ? trace.errors : [trace.cause, ...trace.errors]) {
    parts.push(inner.type ?? "", messageTemplate(inner.message ?? ""));
    addFrames(inner, parts, depth + 1);
  }
}

const MAX_DEPTH = 16;

/** What the issue is called: the error that counts, in its own words. */
function nameOf({ kind, type, message, trace, method, route, status }: ErrorFacts): { type: string; title: string } {
  if (kind === "http")
    return { type, title: clip(`${method ?? ""} ${route ?? ""} answered ${status ?? "5xx"}`.trim()) };
  // Whichever of a death's victims came first, it is called the same.
  if (kind === "death") return { type, title: outcomeInWords(type) ?? type };
  const { error } = trace === null ? { error: null } : countedOf(trace);
  const isCause = error !== null && error !== trace;
  const text = (isCause ? error.message : message) ?? "";
  const name = (isCause ? error.type : type) || type;
  return { type: name, title: clip(headline(text)) || (outcomeInWords(name) ?? name) };
}

function culprit({ kind, trace, route, entrypoint }: ErrorFacts): string {
  // They are grouped wherever they happen: the place of the first says nothing of the others.
  if (kind === "death" || kind === "noise") return "";
  const place = route ?? entrypoint ?? "";
  if (trace === null || kind === "http") return place;
  const { frames } = countedOf(trace);
  const frame = frames.find((one) => one.inApp);
  if (frame !== undefined) return clip(culpritOf(frame));
  return place || clip(functionName(frames[0]?.function ?? null));
}

/** Cut without leaving half a surrogate pair. */
function clip(text: string): string {
  if (text.length <= MAX_TITLE_CHARS) return text;
  return `${text
    .slice(0, MAX_TITLE_CHARS - 1)
    .toWellFormed()
    .replace(/\ufffd$/, "")}…`;
}
