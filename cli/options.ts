/** What all commands read from the command line and the environment in the same way. Pure; throws `CliFailure` that says what is wrong. */
import { parseArgs } from "node:util";
import { usageFailure } from "./failure.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Server {
  url: string;
  token: string;
  /** A service token for the Cloudflare Access in front of it, if there is one. */
  access?: { id: string; secret: string };
}

export const TOPICS = [
  "tail",
  "connect",
  "disconnect",
  "destinations",
  "secrets rotate",
  "deploy",
  "rollout",
  "rollout start",
  "rollout status",
  "rollout list",
  "rollout promote",
  "rollout pause",
  "rollout resume",
  "rollout abort",
  "rollout evidence",
  "sourcemaps upload",
  "sourcemaps list",
] as const;
export type Topic = (typeof TOPICS)[number];

export const TEXT = { type: "string" } as const;
export const FLAG = { type: "boolean" } as const;
/** Of every command. */
export const COMMON = { url: TEXT, token: TEXT, help: { type: "boolean", short: "h" } } as const;

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

/** @param hint for an option that does not exist */
export function parse<const O extends Options>(topic: Topic, args: string[], options: O, hint = "") {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/[.\n] ?/)[0] as string) : String(error);
    const advice = said.startsWith("Unknown option") ? hint : "";
    throw usageFailure(`${said.charAt(0).toLowerCase()}${said.slice(1)}${advice} (tailrace ${topic} --help)`);
  }
}

export function serverOf(values: { url?: string; token?: string }, env: Environment, scope: string): Server {
  const url = values.url ?? env.TAILRACE_URL;
  const token = values.token ?? env.TAILRACE_TOKEN;
  if (!url) throw usageFailure("TAILRACE_URL is not set: the address of your Tailrace, in the environment or as --url");
  if (!token)
    throw usageFailure(
      `TAILRACE_TOKEN is not set: an API token with the scope ${scope} (Settings makes one), in the environment or as --token`,
    );
  if (!/^[\x21-\x7e]+$/.test(token))
    throw usageFailure("TAILRACE_TOKEN holds characters that no token has; was it copied whole?");
  // The names that wrangler has for them.
  const { CLOUDFLARE_ACCESS_CLIENT_ID: id, CLOUDFLARE_ACCESS_CLIENT_SECRET: secret } = env;
  return id && secret ? { url, token, access: { id, secret } } : { url, token };
}

export const unexpected = (given: string, topic: Topic, hint = "") =>
  usageFailure(`unexpected argument "${given}"${hint} (tailrace ${topic} --help)`);
