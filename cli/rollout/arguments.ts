/** `tailrace rollout …`: from the command line to what is to be done. Pure; throws `CliFailure` that says what is wrong. */
import { ROLLOUT_STATES } from "../../workers/api/contract.ts";
import { usageFailure } from "../failure.ts";
import {
  COMMON,
  type Environment,
  FLAG,
  parse,
  type Server,
  serverOf,
  TEXT,
  type Topic,
  unexpected,
} from "../options.ts";
import { wantsColour } from "../tail/render/colour.ts";
import { duration, wholeNumber } from "../units.ts";
import { type AskedPlan, PLAN_OPTIONS, type PlanValues, readPlanOptions } from "./plan.ts";

/** How a rollout is followed, and for how long. */
export interface Follow {
  watch: boolean;
  forMs?: number;
  json: boolean;
  /** undefined: in a terminal that has them. */
  colour?: boolean;
}

/** A Worker's name, or a rollout's id; `worker` finds the id without the platform's database. */
interface Target {
  target: string;
  worker?: string;
}

export type Verb = "promote" | "pause" | "resume" | "abort";

/** How a rollout is begun; also `tailrace deploy --gradual`. */
export interface Begin {
  plan: AskedPlan;
  force: boolean;
  isDryRun: boolean;
  follow: Follow;
}

export type RolloutRequest =
  | ({ command: "rollout start"; server: Server; worker: string; version: string } & Begin)
  | { command: "rollout status"; server: Server; target?: string; worker?: string; follow: Follow }
  | { command: "rollout list"; server: Server; worker?: string; state?: string; limit?: number; json: boolean }
  | ({
      command: "rollout steer";
      verb: Verb;
      server: Server;
      reason?: string;
      percent?: number;
      follow: Follow;
    } & Target)
  | ({ command: "rollout evidence"; server: Server; file?: string; json: boolean } & Target);

type Read = RolloutRequest | { command: "help"; topic: Topic };

const FOLLOW = { watch: FLAG, for: TEXT, json: FLAG, color: FLAG, "no-color": FLAG } as const;
export const BEGIN_OPTIONS = { ...PLAN_OPTIONS, ...FOLLOW, force: FLAG, "dry-run": FLAG } as const;
/** A day and a half of watching is a rollout that nobody waits for in a build. */
const LONGEST_H = 24;
const MAX_ROWS = 100;
const NAMES = ["start", "status", "list", "promote", "pause", "resume", "abort", "evidence"] as const;

export function readRollout(argv: string[], env: Environment): Read {
  const [name, ...rest] = argv;
  switch (name) {
    case undefined:
    case "help":
    case "-h":
    case "--help":
      return { command: "help", topic: "rollout" };
    case "start":
      return readStart(rest, env);
    case "status":
      return readStatus(rest, env);
    case "list":
      return readList(rest, env);
    case "evidence":
      return readEvidence(rest, env);
    case "promote":
    case "pause":
    case "resume":
    case "abort":
      return readSteer(name, rest, env);
    default:
      throw usageFailure(
        `there is no command "rollout ${name}"; there are ${NAMES.join(", ")} (tailrace rollout --help)`,
      );
  }
}

function readStart(argv: string[], env: Environment): Read {
  const topic = "rollout start";
  const options = { ...COMMON, ...BEGIN_OPTIONS, version: TEXT } as const;
  const { values, positionals } = parse(topic, argv, options);
  if (values.help) return { command: "help", topic };
  const worker = only(positionals, topic, "<worker>", "the Worker's name in wrangler.toml");
  const { version } = values;
  if (!version)
    throw usageFailure(
      `--version <id> is missing: the version id that wrangler versions upload printed (tailrace ${topic} --help)`,
    );
  return { command: topic, worker, version, ...readBegin(values, env, topic), server: serverOf(values, env, "deploy") };
}

export function readBegin(
  values: PlanValues & FollowValues & { force?: boolean; "dry-run"?: boolean },
  env: Environment,
  topic: Topic,
): Begin {
  return {
    plan: readPlanOptions(values),
    force: values.force === true,
    isDryRun: values["dry-run"] === true,
    follow: readFollow(values, env, topic),
  };
}

function readStatus(argv: string[], env: Environment): Read {
  const topic = "rollout status";
  const { values, positionals } = parse(topic, argv, { ...COMMON, ...FOLLOW, worker: TEXT });
  if (values.help) return { command: "help", topic };
  const [target, second] = positionals;
  if (second !== undefined) throw unexpected(second, topic);
  const named = { ...(target === undefined ? {} : { target }), ...workerOf(values) };
  return { command: topic, ...named, follow: readFollow(values, env, topic), server: serverOf(values, env, "read") };
}

function readList(argv: string[], env: Environment): Read {
  const topic = "rollout list";
  const options = { ...COMMON, worker: TEXT, state: TEXT, limit: TEXT, json: FLAG } as const;
  const { values, positionals } = parse(topic, argv, options);
  if (values.help) return { command: "help", topic };
  const [first = values.worker, second] = positionals;
  if (second !== undefined) throw unexpected(second, topic);
  const states: readonly string[] = [...ROLLOUT_STATES, "ended"];
  if (values.state !== undefined && !states.includes(values.state))
    throw usageFailure(`--state must be one of ${states.join(", ")}, not "${values.state}" (tailrace ${topic} --help)`);
  return {
    command: topic,
    json: values.json === true,
    ...(first === undefined ? {} : { worker: first }),
    ...(values.state === undefined ? {} : { state: values.state }),
    ...(values.limit === undefined
      ? {}
      : { limit: wholeNumber("--limit", values.limit, MAX_ROWS, `(tailrace ${topic} --help)`) }),
    server: serverOf(values, env, "read"),
  };
}

function readSteer(verb: Verb, argv: string[], env: Environment): Read {
  const topic = `rollout ${verb}` as const;
  const options = { ...COMMON, ...FOLLOW, worker: TEXT, reason: TEXT, to: TEXT } as const;
  const { values, positionals } = parse(topic, argv, options);
  if (values.help) return { command: "help", topic };
  const target = only(positionals, topic, "<worker> or <id>", "whose rollout it is");
  if (values.to !== undefined && verb !== "promote")
    throw usageFailure(`--to is of promote only (tailrace ${topic} --help)`);
  return {
    command: "rollout steer",
    verb,
    target,
    ...workerOf(values),
    ...(values.reason === undefined ? {} : { reason: values.reason }),
    ...(values.to === undefined ? {} : { percent: percentOf(values.to, topic) }),
    follow: readFollow(values, env, topic),
    server: serverOf(values, env, "deploy"),
  };
}

function readEvidence(argv: string[], env: Environment): Read {
  const topic = "rollout evidence";
  const options = { ...COMMON, worker: TEXT, json: FLAG, output: { type: "string", short: "o" } } as const;
  const { values, positionals } = parse(topic, argv, options);
  if (values.help) return { command: "help", topic };
  const target = only(positionals, topic, "<id>", "of the rollout; a Worker's name is its newest");
  const file = values.output === undefined ? {} : { file: values.output };
  return {
    ...{ command: topic, target, ...workerOf(values), ...file, json: values.json === true },
    server: serverOf(values, env, "read"),
  };
}

interface FollowValues {
  watch?: boolean;
  for?: string;
  json?: boolean;
  color?: boolean;
  "no-color"?: boolean;
}

function readFollow(values: FollowValues, env: Environment, topic: Topic): Follow {
  const follow: Follow = { watch: values.watch === true, json: values.json === true };
  if (values.for !== undefined) {
    if (!follow.watch) throw usageFailure(`--for goes with --watch (tailrace ${topic} --help)`);
    follow.forMs = duration("--for", values.for, LONGEST_H, `(tailrace ${topic} --help)`);
  }
  const colour = wantsColour({ on: values.color, off: values["no-color"] }, env);
  if (colour !== undefined) follow.colour = colour;
  return follow;
}

const workerOf = ({ worker }: { worker?: string }) => (worker === undefined ? {} : { worker });

function percentOf(text: string, topic: Topic): number {
  const [, digits] = /^(\d+(?:\.\d+)?)%?$/.exec(text) ?? [];
  const percent = digits === undefined ? Number.NaN : Number(digits);
  if (percent > 0 && percent <= 100) return percent;
  throw usageFailure(`--to must be a percentage of the plan, like 50, not "${text}" (tailrace ${topic} --help)`);
}

function only(positionals: readonly string[], topic: Topic, name: string, what: string): string {
  const [first, second] = positionals;
  if (first === undefined) throw usageFailure(`${name} is missing: ${what} (tailrace ${topic} --help)`);
  if (second !== undefined) throw unexpected(second, topic);
  return first;
}
