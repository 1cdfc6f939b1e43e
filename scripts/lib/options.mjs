/**
 * The options and variables of `npm start`, from text to checked values. Pure:
 * start.mjs reads them before anything is installed, so nothing is imported
 * here that a bare Node does not have.
 */
import { parseArgs } from "node:util";
import { Complaint } from "./complaint.mjs";

const DEFAULT_PORT = 8787;
/** The shop answers on the next port, which must exist as well. */
const MAX_PORT = 65534;
/** Requests per second: lively on a dashboard, calm on two cores. */
const DEFAULT_RATE = 8;
/** Enough to tell a bad version within a minute. */
const ROLLOUT_RATE = 40;
/** Above this the generator, not the platform, is what is measured. */
const MAX_RATE = 2000;
const DEFAULT_SEED = 1;

export const HELP = `Usage: npm start -- [options]

Starts Tailrace and a demo shop on this machine.

  --fresh      drop the data of earlier runs first
  --rate N     average requests per second to the demo shop (default ${DEFAULT_RATE}, with --rollout ${ROLLOUT_RATE}; 0 for none)
  --rollout    a good version of the shop's storefront goes out step by step, guarded
  --rollout bad
               a bad one goes out to 5 %, is noticed, and taken back
  --seed N     seed of the demo's traffic (default ${DEFAULT_SEED})
  --no-demo    the platform alone, without the shop and its traffic
  --no-build   use what is in dist/ as it is
  --verbose    print what the Workers log
  --help       this text

Environment:
  PORT                   default ${DEFAULT_PORT}; the shop answers on PORT + 1, and there as
                         Cloudflare's API for wrangler (three variables, printed at the start)
  TAILRACE_DATA          where the data lives, default .tailrace
  TAILRACE_ADMIN_TOKEN   log-in token; otherwise one is made and kept with the data`;

/**
 * @param {string[]} argv what follows the script's name
 * @param {Record<string, string | undefined>} env
 * @throws {Complaint} on anything that is not understood
 */
export function readOptions(argv, env) {
  const values = parse(withRollout(argv));
  const rollout = oneOf("--rollout", values.rollout, ["good", "bad"]);
  if (rollout !== undefined && values["no-demo"]) throw new Complaint("--rollout needs the demo shop");
  return {
    help: values.help === true,
    fresh: values.fresh === true,
    demo: values["no-demo"] !== true,
    build: values["no-build"] !== true,
    verbose: values.verbose === true,
    rollout,
    rate: number("--rate", values.rate, rollout === undefined ? DEFAULT_RATE : ROLLOUT_RATE, 0, MAX_RATE),
    seed: whole("--seed", values.seed, DEFAULT_SEED, 0, 2 ** 31),
    port: whole("PORT", env.PORT || undefined, DEFAULT_PORT, 1, MAX_PORT),
    data: env.TAILRACE_DATA || ".tailrace",
    adminToken: checkToken(env.TAILRACE_ADMIN_TOKEN || undefined),
  };
}

function parse(argv) {
  try {
    const flag = { type: "boolean" };
    const options = {
      fresh: flag,
      rate: { type: "string" },
      seed: { type: "string" },
      "no-demo": flag,
      "no-build": flag,
      rollout: { type: "string" },
      verbose: flag,
      help: { ...flag, short: "h" },
    };
    return parseArgs({ args: argv, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const isDash = error.message.includes("ambiguous");
    const what = isDash ? "a value may not begin with a dash" : error.message.split(/[.\n] ?/)[0].replaceAll("'", "");
    throw new Complaint(`${what}; see npm start -- --help`);
  }
}

/** `--rollout` alone is the good one. */
function withRollout(argv) {
  return argv.map((arg, i) => {
    const next = argv[i + 1];
    return arg === "--rollout" && (next === undefined || next.startsWith("-")) ? "--rollout=good" : arg;
  });
}

function oneOf(name, text, known) {
  if (text === undefined || known.includes(text)) return text;
  throw new Complaint(`${name} must be one of ${known.join(", ")}, not "${text}"`);
}

function number(name, text, fallback, min, max) {
  if (text === undefined) return fallback;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (!(value >= min && value <= max)) {
    throw new Complaint(`${name} must be a number from ${min} to ${max}, not "${text}"`);
  }
  return value;
}

function whole(name, text, fallback, min, max) {
  const value = number(name, text, fallback, min, max);
  if (!Number.isInteger(value)) throw new Complaint(`${name} must be a whole number, not "${text}"`);
  return value;
}

/** The token travels in a header and is typed into a form: visible ASCII, and not guessable. */
function checkToken(token) {
  if (token === undefined) return undefined;
  if (!/^[\x21-\x7e]{8,256}$/.test(token)) {
    throw new Complaint("TAILRACE_ADMIN_TOKEN must be 8 to 256 visible ASCII characters without spaces");
  }
  return token;
}
