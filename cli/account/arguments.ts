/** `tailrace connect | disconnect | secrets | destinations`: what is to be done. Pure; throws `CliFailure` that says what is wrong. */
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
import { duration } from "../units.ts";

/** Long enough to open a page of the Worker in a browser. */
const WAIT_MS = 2 * 60_000;
const MAX_WAIT_HOURS = 24;

export type AccountRequest =
  | { command: "connect"; server: Server; worker: string; waitMs: number | null; json: boolean }
  | { command: "connections"; server: Server; json: boolean }
  | { command: "disconnect"; server: Server; worker: string; force: boolean; json: boolean }
  | { command: "secrets rotate"; server: Server; json: boolean }
  | { command: "destinations list"; server: Server; json: boolean }
  | { command: "destinations test"; server: Server; name: string; json: boolean };
type Read = AccountRequest | { command: "help"; topic: Topic };

export function readConnect(argv: string[], env: Environment): Read {
  const topic = "connect";
  const options = { ...COMMON, list: FLAG, for: TEXT, "no-wait": FLAG, json: FLAG } as const;
  const { values, positionals } = parse(topic, argv, options);
  if (values.help) return { command: "help", topic };
  const json = values.json === true;
  if (values.list) {
    const [extra] = positionals;
    if (extra !== undefined) throw unexpected(extra, topic, "; --list lists all Workers");
    const [option] = (["for", "no-wait"] as const).filter((name) => values[name] !== undefined);
    if (option !== undefined) throw usageFailure(`--${option} does not go with --list ${see(topic)}`);
    return { command: "connections", json, server: serverOf(values, env, "read") };
  }
  const worker = workerOf(positionals, topic);
  if (values["no-wait"] && values.for !== undefined)
    throw usageFailure(`--for says how long to wait, --no-wait not to: leave one out ${see(topic)}`);
  const given = values.for === undefined ? WAIT_MS : duration("--for", values.for, MAX_WAIT_HOURS, see(topic));
  const waitMs = values["no-wait"] ? null : given;
  return { command: "connect", worker, waitMs, json, server: serverOf(values, env, "admin") };
}

export function readDisconnect(argv: string[], env: Environment): Read {
  const topic = "disconnect";
  const { values, positionals } = parse(topic, argv, { ...COMMON, force: FLAG, json: FLAG });
  if (values.help) return { command: "help", topic };
  const worker = workerOf(positionals, topic);
  const server = serverOf(values, env, "admin");
  return { command: "disconnect", worker, force: values.force === true, json: values.json === true, server };
}

export function readSecrets(argv: string[], env: Environment): Read {
  const [verb, ...rest] = argv;
  const topic = "secrets rotate";
  if (verb === undefined || verb === "--help" || verb === "-h") return { command: "help", topic };
  if (verb !== "rotate") throw usageFailure(`there is no command "secrets ${verb}"; there is: rotate ${see(topic)}`);
  const { values, positionals } = parse(topic, rest, { ...COMMON, json: FLAG });
  if (values.help) return { command: "help", topic };
  if (positionals[0] !== undefined) throw unexpected(positionals[0], topic);
  return { command: "secrets rotate", json: values.json === true, server: serverOf(values, env, "admin") };
}

export function readDestinations(argv: string[], env: Environment): Read {
  const [verb, ...rest] = argv;
  const topic = "destinations";
  if (verb === undefined || verb === "--help" || verb === "-h") return { command: "help", topic };
  if (verb !== "list" && verb !== "test")
    throw usageFailure(`there is no command "destinations ${verb}"; there are: list, test ${see(topic)}`);
  const { values, positionals } = parse(topic, rest, { ...COMMON, json: FLAG });
  if (values.help) return { command: "help", topic };
  const json = values.json === true;
  const [name, extra] = positionals;
  if (verb === "list") {
    if (name !== undefined) throw unexpected(name, topic);
    return { command: "destinations list", json, server: serverOf(values, env, "read") };
  }
  if (name === undefined) throw usageFailure(`<name> is missing: of the destination, or its id ${see(topic)}`);
  if (extra !== undefined) throw unexpected(extra, topic, "; quote a name that has spaces");
  return { command: "destinations test", name, json, server: serverOf(values, env, "admin") };
}

function workerOf(positionals: readonly string[], topic: Topic): string {
  const [worker, extra] = positionals;
  if (worker === undefined) throw usageFailure(`<worker> is missing: its name in the account ${see(topic)}`);
  if (extra !== undefined) throw unexpected(extra, topic, "; one Worker at a time");
  if (!/^[\w-]{1,63}$/.test(worker))
    throw usageFailure(`"${worker}" is no name of a Worker: letters, digits, - and _, 63 at most ${see(topic)}`);
  return worker;
}

const see = (topic: Topic) => `(tailrace ${topic} --help)`;
