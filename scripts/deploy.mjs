/**
 * `npm run deploy`: the dashboard's build, `wrangler deploy` (which creates the
 * database and the bucket in an account that has none), then the migrations, and
 * the key for credentials where the Worker has none yet.
 * What follows `--` goes to `wrangler deploy`; what names the target
 * (--env, --config …) goes to the migrations as well.
 */
import { spawnSync } from "node:child_process";
import { Complaint, run } from "./lib/complaint.mjs";
import { ensureSecretKey, SECRET_KEY } from "./lib/secret-key.mjs";
import { ensureToolchain, ROOT, toolEnv } from "./lib/toolchain.mjs";

const HELP = `Usage: npm run deploy -- [options of wrangler deploy]

  npm run deploy                     build, deploy, apply migrations, set TAILRACE_SECRET_KEY if there is none
  npm run deploy -- --dry-run        build and bundle only; nothing leaves this machine
  npm run deploy -- --env staging    to an environment of wrangler.toml

Log in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID.`;

/** Options that say where to, not how. */
const TARGET_OPTIONS = ["--env", "-e", "--config", "-c", "--env-file"];
const SECRET_TARGET_OPTIONS = [...TARGET_OPTIONS, "--name"];

await run(async () => {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(HELP);
    return;
  }
  ensureToolchain();
  const { buildDashboard } = await import("./lib/dashboard-build.mjs");
  console.log("1/4  dashboard");
  await buildDashboard();
  console.log("2/4  wrangler deploy");
  wrangler(["deploy", ...args], "wrangler deploy failed, nothing was migrated");
  if (args.includes("--dry-run")) {
    console.log("3/4  migrations: left out, this is a dry run");
    console.log("4/4  secret key: left out, this is a dry run");
    return;
  }
  console.log("3/4  migrations");
  wrangler(
    ["d1", "migrations", "apply", "DB", "--remote", ...targetOf(args)],
    "the Worker is deployed but its migrations are not applied; run npm run deploy again",
  );
  console.log("4/4  secret key");
  const isNew = ensureSecretKey(targetOf(args, SECRET_TARGET_OPTIONS));
  console.log(isNew ? `${SECRET_KEY} is made and set: it encrypts the credentials that Tailrace is given` : "is there");
  console.log("Deployed. The first log-in needs a token: npx wrangler secret put TAILRACE_ADMIN_TOKEN");
});

function wrangler(args, complaint) {
  const { status, signal } = spawnSync("wrangler", args, { cwd: ROOT, env: toolEnv(), stdio: "inherit" });
  if (signal) process.exit(130);
  if (status !== 0) throw new Complaint(complaint);
}

function targetOf(args, options = TARGET_OPTIONS) {
  const target = [];
  args.forEach((arg, i) => {
    const [name, value] = arg.split("=", 2);
    if (!options.includes(name)) return;
    target.push(...(value === undefined ? [arg, args[i + 1]] : [arg]));
  });
  return target.filter((part) => part !== undefined);
}
