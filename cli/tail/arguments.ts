/**
 * `tailrace tail [<worker>] [filter…]`. The filter is whatever is left, joined
 * by spaces, so a word of it may begin with `-` (negation), which everywhere
 * else is an option. Pure; throws `CliFailure` that says what is wrong.
 */
import { LIVE_MAX_RATE } from "../../workers/api/contract.ts";
import { COMMON, type Environment, FLAG, parse, type Server, serverOf, TEXT } from "../options.ts";
import { duration, wholeNumber } from "../units.ts";
import { wantsColour } from "./render/colour.ts";

export interface TailRequest {
  command: "tail";
  server: Server;
  /** null: all Workers. */
  worker: string | null;
  q: string;
  /** Events a second; without it, as the platform has it. */
  rate?: number;
  /** NDJSON or lines for people; undefined: NDJSON where stdout is no terminal. */
  json?: boolean;
  /** undefined: in a terminal that has them. */
  colour?: boolean;
  /** Nothing is shortened. */
  full: boolean;
  ids: boolean;
  /** Events after which it ends. */
  limit?: number;
  /** After which it ends. */
  forMs?: number;
  /** Begins with what happened this long ago, as far as it is still there. */
  sinceMs?: number;
}

const TOPIC = "tail";
const SEE = `(tailrace ${TOPIC} --help)`;
const OPTIONS = {
  ...COMMON,
  rate: TEXT,
  json: FLAG,
  "no-json": FLAG,
  color: FLAG,
  "no-color": FLAG,
  full: FLAG,
  "show-ids": FLAG,
  limit: TEXT,
  for: TEXT,
  since: TEXT,
} as const;

/** What a timer can wait for. */
const LONGEST_H = 24;

/** No argument of a process can hold it. */
const MARK = "\0";

/** Undefined when help was asked for. */
export function readTail(argv: readonly string[], env: Environment): TailRequest | undefined {
  const marked = argv.map((word) => (/^-[^-]/.test(word) && word !== "-h" ? MARK + word : word));
  const parsed = parse(TOPIC, marked, OPTIONS, `; a filter that begins with -- goes after a lone --`);
  const { values } = parsed;
  if (values.help) return undefined;
  const [worker, filter] = split(parsed.positionals.map(unmarked));
  const request: TailRequest = {
    command: "tail",
    server: serverOf({ url: values.url, token: values.token }, env, "read"),
    worker,
    q: filter.join(" ").trim(),
    full: values.full === true,
    ids: values["show-ids"] === true,
  };
  if (values.json || values["no-json"]) request.json = values.json === true;
  const colour = wantsColour({ on: values.color, off: values["no-color"] }, env);
  if (colour !== undefined) request.colour = colour;
  if (values.rate !== undefined) request.rate = wholeNumber("--rate", unmarked(values.rate), LIVE_MAX_RATE, SEE);
  if (values.limit !== undefined) request.limit = wholeNumber("--limit", unmarked(values.limit), 1e9, SEE);
  if (values.for !== undefined) request.forMs = duration("--for", unmarked(values.for), LONGEST_H, SEE);
  if (values.since !== undefined) request.sinceMs = duration("--since", unmarked(values.since), LONGEST_H, SEE);
  return request;
}

const unmarked = (word: string): string => (word.startsWith(MARK) ? word.slice(MARK.length) : word);

/** The first word is a Worker's name, `*`, or, if it can only be that, the beginning of the filter. */
function split(words: string[]): [worker: string | null, filter: string[]] {
  const [first = "*", ...rest] = words;
  if (first === "*" || first === "") return [null, rest];
  return /^[\w.][\w.-]*$/.test(first) && first !== "NOT" ? [first, rest] : [null, words];
}
