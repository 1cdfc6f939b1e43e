/** What `npm start` promises: its options, its ready line, its data, its end. */
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client, until } from "../support/client.ts";
import { freePort } from "../support/stack.ts";
import { isRunning, runtimePids, StartProcess } from "../support/start-process.ts";

const DEADLINE_MS = 60_000;

const data = mkdtempSync(join(tmpdir(), "tailrace-start-"));
const started: StartProcess[] = [];
let port: number;

beforeAll(async () => {
  port = await freePort();
});

afterAll(async () => {
  for (const process of started) await process.kill();
  rmSync(data, { recursive: true, force: true });
});

function start(args: string[], env: Record<string, string> = {}, root?: string): StartProcess {
  const process = new StartProcess(args, { PORT: String(port), TAILRACE_DATA: data, ...env }, root);
  started.push(process);
  return process;
}

/** Refused: code 1, one line on stderr, nothing else. */
async function expectRefusal(process: StartProcess, line: RegExp): Promise<void> {
  const { code, stdout, stderr } = await process.ended();
  expect(stdout).toBe("");
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(line);
  expect(code).toBe(1);
}

const tokenOf = ({ stdout }: StartProcess) => /log-in token\s+(\S+)/.exec(stdout)?.[1] ?? "";
const clientOf = (process: StartProcess) => new Client(`http://127.0.0.1:${port}`, tokenOf(process));
const countEvents = (client: Client) => client.number("* | stats count()");

describe("refuses in one line", () => {
  const file = join(data, "a-file");
  writeFileSync(file, "");
  const cases: [name: string, args: string[], env: Record<string, string>, line: RegExp][] = [
    ["an unknown option", ["--wat"], {}, /unknown option --wat/i],
    ["an argument that is not an option", ["now"], {}, /now/],
    ["a rate that is not a number", ["--rate", "fast"], {}, /--rate must be a number .*"fast"/],
    ["a negative rate", ["--rate=-1"], {}, /--rate must be a number/],
    ["a rate without a value", ["--rate"], {}, /--rate/],
    ["a port that is not a number", [], { PORT: "http" }, /PORT must be a number .*"http"/],
    ["a port out of range", [], { PORT: "65535" }, /PORT must be a number from 1 to 65534/],
    ["a data directory that is a file", [], { TAILRACE_DATA: file }, /data directory .*TAILRACE_DATA/],
    ["a data directory that cannot be made", [], { TAILRACE_DATA: "/proc/nowhere" }, /data directory .*TAILRACE_DATA/],
    ["a token with a space", [], { TAILRACE_ADMIN_TOKEN: "two words" }, /TAILRACE_ADMIN_TOKEN/],
  ];
  for (const [name, args, env, line] of cases) test(name, () => expectRefusal(start(args, env), line));

  test("a taken port, its own or the shop's", async () => {
    for (const offset of [0, 1]) {
      const taken = await listen(port + offset);
      try {
        await expectRefusal(start(["--no-build"]), new RegExp(`port ${port + offset} .*taken`));
      } finally {
        await new Promise((done) => taken.close(done));
      }
    }
  });

  test("a missing build", async () => {
    const root = mkdtempSync(join(tmpdir(), "tailrace-unbuilt-"));
    try {
      for (const part of [
        "scripts",
        "workers",
        "demo",
        "cli",
        "migrations",
        "wrangler.toml",
        "package.json",
        "package-lock.json",
      ]) {
        cpSync(part, join(root, part), { recursive: true });
      }
      symlinkSync(resolve("node_modules"), join(root, "node_modules"));
      await expectRefusal(start(["--no-build", "--no-demo"], {}, root), /not built .*npm run build/);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

test("--help says how to use it", async () => {
  const { code, stdout } = await start(["--help"]).ended();
  expect(code).toBe(0);
  for (const word of ["--fresh", "--rate", "--no-demo", "PORT", "TAILRACE_DATA", "TAILRACE_ADMIN_TOKEN"]) {
    expect(stdout).toContain(word);
  }
});

test("from the first start to the last", async () => {
  const first = await start(["--no-build", "--rate", "20"]).ready();
  expect(first.stdout).toContain(`Tailrace is ready on http://localhost:${port}\n`);
  expect(statSync(join(data, "admin-token")).mode & 0o777).toBe(0o600);

  // The demo's telemetry arrives by itself.
  const client = clientOf(first);
  expect((await client.health()).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${port + 1}/api/products`)).status).toBe(200);
  await until(
    () => client.number('script:shop-storefront event_type:fetch "GET /api/products" | stats count()'),
    (n) => n > 0,
    DEADLINE_MS,
  );

  // A second one keeps its hands off the data of the first.
  await expectRefusal(start(["--no-build", "--fresh"]), new RegExp(`already running on port ${port} `));

  // Ctrl-C ends it all.
  const runtimes = runtimePids(data);
  expect(runtimes.filter(isRunning)).not.toHaveLength(0);
  const before = await countEvents(client);
  first.signal("SIGINT");
  expect((await first.ended()).code).toBe(0);
  await until(
    async () => runtimes.some(isRunning),
    (running) => !running,
    DEADLINE_MS,
  );
  expect(existsSync(join(data, "run.json"))).toBe(false);
  await new Promise((done) => listen(port).then((server) => server.close(done)));

  // The next start has the data and the same token.
  const second = await start(["--no-build", "--no-demo"]).ready();
  expect(tokenOf(second)).toBe(tokenOf(first));
  expect(await countEvents(clientOf(second))).toBeGreaterThanOrEqual(before);

  // Killed without a chance to clean up: workerd does not outlive it, and the port is free at once.
  const orphans = runtimePids(data);
  second.signal("SIGKILL");
  await second.ended();
  const third = await start(["--no-build", "--no-demo"]).ready();
  expect(orphans.some(isRunning)).toBe(false);
  expect(await countEvents(clientOf(third))).toBeGreaterThanOrEqual(before);
  third.signal("SIGTERM");
  expect((await third.ended()).code).toBe(0);

  // --fresh drops the telemetry; TAILRACE_ADMIN_TOKEN is honoured.
  const fourth = await start(["--no-build", "--no-demo", "--fresh"], {
    TAILRACE_ADMIN_TOKEN: "a-token-of-mine",
  }).ready();
  expect(tokenOf(fourth)).toBe("a-token-of-mine");
  expect(await countEvents(clientOf(fourth))).toBe(0);
  fourth.signal("SIGINT");
  expect((await fourth.ended()).code).toBe(0);
});

function listen(on: number): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(on, "127.0.0.1", () => done(server));
  });
}
