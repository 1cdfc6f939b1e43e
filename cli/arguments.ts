/** From the command line and the environment to what is to be done. Pure; throws `CliFailure` that says what is wrong. */
import { parseArgs } from "node:util";
import { usageFailure } from "./failure.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Server {
  url: string;
  token: string;
  /** A service token for the Cloudflare Access in front of it, if there is one. */
  access?: { id: string; secret: string };
}

export type Request =
  | { command: "help"; topic: Topic | undefined }
  | { command: "version" }
  | { command: "upload"; server: Server; directory: string; worker: string; version: string }
  | { command: "list"; server: Server; worker: string; version: string; json: boolean }
  | { command: "deploy"; server: Server; worker: string | undefined; isVersionUpload: boolean; wrangler: string[] };

export const TOPICS = ["sourcemaps upload", "sourcemaps list", "deploy"] as const;
export type Topic = (typeof TOPICS)[number];

const TEXT = { type: "string" } as const;
const FLAG = { type: "boolean" } as const;
const HELP = { help: { type: "boolean", short: "h" } } as const;
const SERVER = { url: TEXT, token: TEXT } as const;

export function readRequest(argv: readonly string[], env: Environment): Request {
  const [first, second] = argv;
  if (first === undefined || first === "help" || first === "--help" || first === "-h")
    return { command: "help", topic: topicOf(argv.slice(1)) };
  if (first === "--version" || first === "-v") return { command: "version" };
  if (first === "deploy") return readDeploy(argv.slice(1), env);
  if (first === "sourcemaps" && second === "upload") return readUpload(argv.slice(2), env);
  if (first === "sourcemaps" && second === "list") return readList(argv.slice(2), env);
  if (first === "sourcemaps" && (second === undefined || second === "--help" || second === "-h"))
    return { command: "help", topic: undefined };
  const given = first === "sourcemaps" ? `sourcemaps ${second}` : first;
  throw usageFailure(`there is no command "${given}"; the commands are ${TOPICS.join(", ")} (tailrace --help)`);
}

function readUpload(argv: string[], env: Environment): Request {
  const topic = "sourcemaps upload";
  const { values, positionals } = parse(topic, argv, { ...SERVER, ...HELP, worker: TEXT, version: TEXT });
  if (values.help) return { command: "help", topic };
  const directory = single(positionals, topic, "the directory with the bundle and its maps");
  const { worker, version } = versionOf(values, topic);
  return { command: "upload", directory, worker, version, server: serverOf(values, env) };
}

function readList(argv: string[], env: Environment): Request {
  const topic = "sourcemaps list";
  const { values, positionals } = parse(topic, argv, { ...SERVER, ...HELP, worker: TEXT, version: TEXT, json: FLAG });
  if (values.help) return { command: "help", topic };
  if (positionals.length > 0) throw unexpected(positionals[0] as string, topic);
  const { worker, version } = versionOf(values, topic);
  return { command: "list", worker, version, json: values.json === true, server: serverOf(values, env) };
}

function readDeploy(argv: string[], env: Environment): Request {
  const topic = "deploy";
  const dashes = argv.indexOf("--");
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const rest = dashes === -1 ? [] : argv.slice(dashes + 1);
  const options = { ...SERVER, ...HELP, worker: TEXT, "versions-upload": FLAG } as const;
  const { values, positionals } = parse(topic, own, options, "; options of wrangler go after --");
  if (values.help) return { command: "help", topic };
  if (positionals.length > 0) throw unexpected(positionals[0] as string, topic, "; arguments of wrangler go after --");
  const [first, second] = rest;
  const saysVersionsUpload = first === "versions" && second === "upload";
  if (first === "versions" && !saysVersionsUpload)
    throw usageFailure(
      `wrangler versions ${second ?? ""} builds nothing, so there are no maps to upload: run it without tailrace`,
    );
  const wrangler = saysVersionsUpload ? rest.slice(2) : first === "deploy" ? rest.slice(1) : rest;
  const isVersionUpload = saysVersionsUpload || values["versions-upload"] === true;
  return { command: "deploy", worker: values.worker, isVersionUpload, wrangler, server: serverOf(values, env) };
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function parse<const O extends Options>(topic: Topic, args: string[], options: O, hint = "") {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/[.\n] ?/)[0] as string) : String(error);
    throw usageFailure(`${said.charAt(0).toLowerCase()}${said.slice(1)}${hint} (tailrace ${topic} --help)`);
  }
}

function versionOf(values: { worker?: string; version?: string }, topic: Topic): { worker: string; version: string } {
  const { worker, version } = values;
  if (!worker)
    throw usageFailure(`--worker <name> is missing: the Worker's name in wrangler.toml (tailrace ${topic} --help)`);
  if (!version)
    throw usageFailure(`--version <id> is missing: the version id that wrangler printed (tailrace ${topic} --help)`);
  return { worker, version };
}

function serverOf(values: { url?: string; token?: string }, env: Environment): Server {
  const url = values.url ?? env.TAILRACE_URL;
  const token = values.token ?? env.TAILRACE_TOKEN;
  if (!url) throw usageFailure("TAILRACE_URL is not set: the address of your Tailrace, in the environment or as --url");
  if (!token)
    throw usageFailure(
      "TAILRACE_TOKEN is not set: an API token with the scope deploy (Settings makes one), in the environment or as --token",
    );
  if (!/^[\x21-\x7e]+$/.test(token))
    throw usageFailure("TAILRACE_TOKEN holds characters that no token has; was it copied whole?");
  // The names that wrangler has for them.
  const { CLOUDFLARE_ACCESS_CLIENT_ID: id, CLOUDFLARE_ACCESS_CLIENT_SECRET: secret } = env;
  return id && secret ? { url, token, access: { id, secret } } : { url, token };
}

function single(positionals: string[], topic: Topic, what: string): string {
  const [first, second] = positionals;
  if (first === undefined) throw usageFailure(`<dir> is missing: ${what} (tailrace ${topic} --help)`);
  if (second !== undefined) throw unexpected(second, topic);
  return first;
}

const unexpected = (given: string, topic: Topic, hint = "") =>
  usageFailure(`unexpected argument "${given}"${hint} (tailrace ${topic} --help)`);

function topicOf(words: readonly string[]): Topic | undefined {
  return TOPICS.find((topic) => topic === words.join(" "));
}
