/**
 * A team's own fingerprint rules: the first that matches says what an error counts
 * as. `api/` compiles them to tell what is wrong with them, `ingest/` once per
 * settings; `fingerprint.ts` asks for every error. Nothing a rule says costs more
 * than one walk over the texts that it looks at.
 */
import { firstLine } from "../stack/first-line.ts";
import type { SourceFrame, SourceTrace } from "../trace.ts";
import { countedOf } from "./chain.ts";
import type { ErrorFacts } from "./facts.ts";
import { compileGlob } from "./glob.ts";
import { fileName, functionName } from "./names.ts";
import { ATTRIBUTE, type Matcher, type Piece, type RuleLine, type RuleProblem, readRule } from "./rule-syntax.ts";
import { messageTemplate } from "./template.ts";

export type { RuleProblem };

export interface CompiledRules {
  /**
   * What the rules look at besides script, kind, type, stack and the message's
   * template: `message`, `route`, `level`, `method`, `status`, `outcome`,
   * `entrypoint`, `attributes.<name>`. A result may be kept for events that have
   * these alike.
   */
  readonly uses: ReadonlySet<string>;
  readonly list: readonly Rule[];
}

interface Rule {
  matches(facts: ErrorFacts): boolean;
  line: RuleLine;
  /** Neither this rule nor one before it looks at frames: a source map changes nothing. */
  isFinal: boolean;
}

export interface MatchedRule {
  parts(byDefault: () => string): string[];
  /** Of the parts, what no source map changes: neither the default nor what frames say. */
  fixedParts(): string[];
  title: string | undefined;
  isFinal: boolean;
}

export type RulesResult = { ok: true; rules: CompiledRules } | { ok: false; problems: RuleProblem[] };

export const NO_RULES: CompiledRules = { uses: new Set(), list: [] };

/** Each is asked for every new error. */
const MAX_RULES = 200;
/** More are not read by anybody. */
const MAX_PROBLEMS = 20;
/** Of a value that goes into a fingerprint or a title. */
const MAX_VALUE_CHARS = 256;
/** 16 KB of an exemplar at most. */
const MAX_USED_FACTS = 32;
/** Frames that are looked through for a function or a file. */
const MAX_MATCHED_FRAMES = 100;
/** Errors of a chain that are looked at. */
const MAX_MATCHED_ERRORS = 16;

/** What a result is kept by in any case needs no mention in `uses`. */
const ALWAYS_KNOWN = new Set(["default", "type", "function", "file", "script", "kind"]);
const OF_FRAMES = new Set(["default", "function", "file"]);

export function compileRules(lines: readonly string[]): RulesResult {
  const list: Rule[] = [];
  const problems: RuleProblem[] = [];
  const uses = new Set<string>();
  let readsFrames = false;
  for (const [i, line] of lines.entries()) {
    const read = readRule(line);
    if (read === undefined) continue;
    if ("message" in read) {
      if (problems.length < MAX_PROBLEMS) problems.push({ line: i + 1, ...read });
      continue;
    }
    if (list.length === MAX_RULES) {
      problems.push({ line: i + 1, column: 1, message: `there may be ${MAX_RULES} rules at most` });
      break;
    }
    const keys = [...read.matchers.map(({ key }) => key), ...variablesOf(read)];
    for (const key of keys) if (!ALWAYS_KNOWN.has(key)) uses.add(key);
    readsFrames ||= read.matchers.some(({ key }) => OF_FRAMES.has(key));
    const isFinal =
      !readsFrames && !read.parts.flat().some((piece) => "variable" in piece && OF_FRAMES.has(piece.variable));
    list.push({ matches: compileMatchers(read.matchers), line: read, isFinal });
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, rules: { uses, list } };
}

/** `{{ message }}` in a part is the template, which is known; in a title it is the message. */
function variablesOf({ parts, title }: RuleLine): string[] {
  const names = (pieces: Piece[]) => pieces.flatMap((piece) => ("variable" in piece ? [piece.variable] : []));
  return [...names(parts.flat()).filter((name) => name !== "message"), ...names(title ?? [])];
}

export function matchRules(rules: CompiledRules, facts: ErrorFacts): MatchedRule | undefined {
  const rule = rules.list.find((one) => one.matches(facts));
  if (rule === undefined) return undefined;
  const { parts, title } = rule.line;
  return {
    parts: (byDefault) =>
      parts.map((pieces) =>
        write(pieces, (name) =>
          name === "default" ? byDefault() : name === "message" ? template(facts) : value(name, facts),
        ),
      ),
    fixedParts: () =>
      parts.map((pieces) =>
        write(pieces, (name) =>
          name === "default" || OF_FRAMES.has(name) ? "" : name === "message" ? template(facts) : value(name, facts),
        ),
      ),
    title: title === undefined ? undefined : write(title, (name) => value(name, facts)).trim() || undefined,
    isFinal: rule.isFinal,
  };
}

/** Values that rules look at and that an exemplar does not say by itself: for whoever groups the same error again. */
export function usedFacts({ uses }: CompiledRules, facts: ErrorFacts): Record<string, string> | undefined {
  const used: Record<string, string> = {};
  for (const name of uses) {
    if (name !== "level" && name !== "entrypoint" && !name.startsWith(ATTRIBUTE)) continue;
    const text = value(name, facts);
    if (text !== "") used[name] = text;
    if (Object.keys(used).length === MAX_USED_FACTS) break;
  }
  return Object.keys(used).length === 0 ? undefined : used;
}

function write(pieces: Piece[], read: (variable: string) => string): string {
  return pieces.map((piece) => ("text" in piece ? piece.text : read(piece.variable))).join("");
}

function compileMatchers(matchers: Matcher[]): (facts: ErrorFacts) => boolean {
  const tests = matchers.map(({ key, glob, negated }) => {
    const matches = compileGlob(glob);
    return (facts: ErrorFacts) => valuesOf(key, facts).some(matches) !== negated;
  });
  return (facts) => tests.every((test) => test(facts));
}

/** What a matcher is held against: of a chain every error, of a stack every frame. */
function valuesOf(key: string, facts: ErrorFacts): string[] {
  switch (key) {
    case "type":
      return [facts.type, ...errorsOf(facts.trace).map(({ type }) => type ?? "")];
    case "message":
      return [facts.message, ...errorsOf(facts.trace).map(({ message }) => message ?? "")];
    case "function":
      return framesOf(facts.trace).flatMap((frame) => [functionName(frame.function), frame.function ?? ""]);
    case "file":
      return framesOf(facts.trace).flatMap((frame) => [fileName(frame.file), frame.file ?? ""]);
    default:
      return [value(key, facts)];
  }
}

function errorsOf(trace: SourceTrace | null): SourceTrace[] {
  if (trace === null) return [];
  const found: SourceTrace[] = [];
  const open = [trace];
  for (let one = open.pop(); one !== undefined && found.length < MAX_MATCHED_ERRORS; one = open.pop()) {
    found.push(one);
    open.push(...one.errors);
    if (one.cause !== null) open.push(one.cause);
  }
  return found;
}

const framesOf = (trace: SourceTrace | null): SourceFrame[] =>
  errorsOf(trace)
    .flatMap(({ frames }) => frames)
    .slice(0, MAX_MATCHED_FRAMES);

/** A variable's value; "" where there is none. */
function value(name: string, facts: ErrorFacts): string {
  if (name.startsWith(ATTRIBUTE)) return cut(facts.attribute?.(name.slice(ATTRIBUTE.length)));
  switch (name) {
    case "type":
      return cut(counted(facts)?.type || facts.type);
    case "message":
      return cut(firstLine(counted(facts)?.message || facts.message));
    case "function":
      return cut(functionName(topFrame(facts)?.function ?? null));
    case "file":
      return cut(fileName(topFrame(facts)?.file ?? null));
    case "script":
      return facts.script;
    case "kind":
      return facts.kind;
    case "route":
    case "level":
    case "method":
    case "status":
    case "outcome":
    case "entrypoint":
      return cut(facts[name]);
    default:
      throw new Error(`BUG: rules know no ${name}`);
  }
}

const template = (facts: ErrorFacts): string => messageTemplate(counted(facts)?.message || facts.message);

/** The cause that counts; undefined where it is the error itself. */
function counted({ trace }: ErrorFacts): SourceTrace | undefined {
  const error = trace === null ? null : countedOf(trace).error;
  return error === null || error === trace ? undefined : error;
}

function topFrame({ trace }: ErrorFacts): SourceFrame | undefined {
  return trace === null ? undefined : countedOf(trace).frames.find((frame) => frame.inApp);
}

function cut(found: string | number | boolean | undefined): string {
  const text = found === undefined ? "" : String(found);
  return text.length > MAX_VALUE_CHARS ? text.slice(0, MAX_VALUE_CHARS) : text;
}
