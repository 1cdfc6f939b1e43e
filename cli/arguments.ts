/** From the command line and the environment to what is to be done. Pure; throws `CliFailure` that says what is wrong. */
import {
  type AccountRequest,
  readConnect,
  readDestinations,
  readDisconnect,
  readSecrets,
} from "./account/arguments.ts";
import { usageFailure } from "./failure.ts";
import {
  COMMON,
  type Environment,
  FLAG,
  parse,
  type Server,
  serverOf,
  TEXT,
  TOPICS,
  type Topic,
  unexpected,
} from "./options.ts";
import { BEGIN_OPTIONS, type Begin, type RolloutRequest, readBegin, readRollout } from "./rollout/arguments.ts";
import { readTail, type TailRequest } from "./tail/arguments.ts";

export type Request =
  | { command: "help"; topic: Topic | undefined }
  | { command: "version" }
  | TailRequest
  | RolloutRequest
  | AccountRequest
  | { command: "upload"; server: Server; directory: string; worker: string; version: string }
  | { command: "list"; server: Server; worker: string; version: string; json: boolean }
  | {
      command: "deploy";
      server: Server;
      worker: string | undefined;
      isVersionUpload: boolean;
      wrangler: string[];
      /** A rollout of the version that was uploaded. */
      gradual?: Begin;
    };

export function readRequest(argv: readonly string[], env: Environment): Request {
  const [first, second] = argv;
  if (first === undefined || first === "help" || first === "--help" || first === "-h")
    return { command: "help", topic: topicOf(argv.slice(1)) };
  if (first === "--version" || first === "-v") return { command: "version" };
  if (first === "tail") return readTail(argv.slice(1), env) ?? { command: "help", topic: "tail" };
  if (first === "rollout") return readRollout(argv.slice(1), env);
  if (first === "connect") return readConnect(argv.slice(1), env);
  if (first === "disconnect") return readDisconnect(argv.slice(1), env);
  if (first === "secrets") return readSecrets(argv.slice(1), env);
  if (first === "destinations") return readDestinations(argv.slice(1), env);
  if (first === "deploy") return readDeploy(argv.slice(1), env);
  if (first === "sourcemaps" && second === "upload") return readUpload(argv.slice(2), env);
  if (first === "sourcemaps" && second === "list") return readList(argv.slice(2), env);
  if (first === "sourcemaps" && (second === undefined || second === "--help" || second === "-h"))
    return { command: "help", topic: undefined };
  const given = first === "sourcemaps" ? `sourcemaps ${second}` : first;
  const commands = TOPICS.filter((topic) => !topic.startsWith("rollout ")).join(", ");
  throw usageFailure(`there is no command "${given}"; the commands are ${commands} (tailrace --help)`);
}

function readUpload(argv: string[], env: Environment): Request {
  const topic = "sourcemaps upload";
  const { values, positionals } = parse(topic, argv, { ...COMMON, worker: TEXT, version: TEXT });
  if (values.help) return { command: "help", topic };
  const directory = single(positionals, topic, "the directory with the bundle and its maps");
  const { worker, version } = versionOf(values, topic);
  return { command: "upload", directory, worker, version, server: serverOf(values, env, "deploy") };
}

function readList(argv: string[], env: Environment): Request {
  const topic = "sourcemaps list";
  const { values, positionals } = parse(topic, argv, { ...COMMON, worker: TEXT, version: TEXT, json: FLAG });
  if (values.help) return { command: "help", topic };
  if (positionals.length > 0) throw unexpected(positionals[0] as string, topic);
  const { worker, version } = versionOf(values, topic);
  return { command: "list", worker, version, json: values.json === true, server: serverOf(values, env, "read") };
}

function readDeploy(argv: string[], env: Environment): Request {
  const topic = "deploy";
  const dashes = argv.indexOf("--");
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const rest = dashes === -1 ? [] : argv.slice(dashes + 1);
  const options = { ...COMMON, ...BEGIN_OPTIONS, worker: TEXT, "versions-upload": FLAG, gradual: FLAG } as const;
  const { values, positionals } = parse(topic, own, options, "; options of wrangler go after --");
  if (values.help) return { command: "help", topic };
  if (positionals.length > 0) throw unexpected(positionals[0] as string, topic, "; arguments of wrangler go after --");
  if (!values.gradual) refuseWithoutGradual(values);
  const [first, second] = rest;
  const saysVersionsUpload = first === "versions" && second === "upload";
  if (first === "versions" && !saysVersionsUpload)
    throw usageFailure(
      `wrangler versions ${second ?? ""} builds nothing, so there are no maps to upload: run it without tailrace`,
    );
  if (values.gradual && first === "deploy")
    throw usageFailure("wrangler deploy sends all traffic to the new version at once: leave it out with --gradual");
  const wrangler = saysVersionsUpload ? rest.slice(2) : first === "deploy" ? rest.slice(1) : rest;
  const isVersionUpload = saysVersionsUpload || values["versions-upload"] === true || values.gradual === true;
  const server = serverOf(values, env, "deploy");
  const request = { command: "deploy" as const, worker: values.worker, isVersionUpload, wrangler, server };
  return values.gradual ? { ...request, gradual: readBegin(values, env, topic) } : request;
}

/** An option of rollouts alone would be meant, and do nothing. */
function refuseWithoutGradual(values: Record<string, unknown>): void {
  const [option] = Object.keys(BEGIN_OPTIONS).filter((name) => values[name] !== undefined);
  if (option === undefined) return;
  const hint = option === "dry-run" ? "; wrangler's own goes after --" : "";
  throw usageFailure(`--${option} goes with --gradual${hint} (tailrace deploy --help)`);
}

function versionOf(values: { worker?: string; version?: string }, topic: Topic): { worker: string; version: string } {
  const { worker, version } = values;
  if (!worker)
    throw usageFailure(`--worker <name> is missing: the Worker's name in wrangler.toml (tailrace ${topic} --help)`);
  if (!version)
    throw usageFailure(`--version <id> is missing: the version id that wrangler printed (tailrace ${topic} --help)`);
  return { worker, version };
}

function single(positionals: string[], topic: Topic, what: string): string {
  const [first, second] = positionals;
  if (first === undefined) throw usageFailure(`<dir> is missing: ${what} (tailrace ${topic} --help)`);
  if (second !== undefined) throw unexpected(second, topic);
  return first;
}

function topicOf(words: readonly string[]): Topic | undefined {
  return TOPICS.find((topic) => topic === words.join(" "));
}
