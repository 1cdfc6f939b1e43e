/** The command line of rollouts: what is asked for, the plan that comes of options and file, and what is said when it does not fit. */
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../../cli/arguments.ts";
import { CliFailure } from "../../../../cli/failure.ts";
import { helpOf } from "../../../../cli/help.ts";
import { TOPICS } from "../../../../cli/options.ts";
import { planOf, readPlanOptions } from "../../../../cli/rollout/plan.ts";
import { DEFAULT_PLAN } from "../../../../workers/api/contract.ts";

const ENV = { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "trl_x" };
const server = { url: "https://t.example", token: "trl_x" };
const read = (line: string) => readRequest(line.split(" ").filter(Boolean), ENV);
const plan = (values: Parameters<typeof readPlanOptions>[0], file?: string) => planOf(readPlanOptions(values), file);
const follow = { watch: false, json: false };

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CliFailure);
    expect((error as CliFailure).exitCode).toBe(2);
    return (error as CliFailure).message;
  }
  throw new Error("it was taken");
}

describe("what is asked for", () => {
  const begin = { plan: { plan: {} }, force: false, isDryRun: false, follow };
  it.each([
    ["rollout", { command: "help", topic: "rollout" }],
    ["rollout pause --help", { command: "help", topic: "rollout pause" }],
    ["help rollout start", { command: "help", topic: "rollout start" }],
    ["rollout start shop --version v2", { command: "rollout start", worker: "shop", version: "v2", ...begin, server }],
    [
      "rollout start shop --version v2 --force --dry-run --watch --for 30m",
      {
        ...{ command: "rollout start", worker: "shop", version: "v2", server, plan: { plan: {} } },
        ...{ force: true, isDryRun: true, follow: { watch: true, json: false, forMs: 1_800_000 } },
      },
    ],
    ["rollout status", { command: "rollout status", follow, server }],
    [
      "rollout status shop --json",
      { command: "rollout status", target: "shop", follow: { ...follow, json: true }, server },
    ],
    [
      "rollout list shop --state running --limit 5",
      { command: "rollout list", worker: "shop", state: "running", limit: 5, json: false, server },
    ],
    [
      "rollout abort shop --reason pager",
      { command: "rollout steer", verb: "abort", target: "shop", reason: "pager", follow, server },
    ],
    [
      "rollout promote r-1 --worker shop --to 50%",
      { command: "rollout steer", verb: "promote", target: "r-1", worker: "shop", percent: 50, follow, server },
    ],
    [
      "rollout evidence r-1 -o out.md",
      { command: "rollout evidence", target: "r-1", file: "out.md", json: false, server },
    ],
    [
      "deploy --gradual --watch -- --env staging",
      {
        ...{ command: "deploy", worker: undefined, isVersionUpload: true, wrangler: ["--env", "staging"], server },
        gradual: { ...begin, follow: { ...follow, watch: true } },
      },
    ],
  ])("%s", (line, request) => {
    expect(read(line)).toEqual(request);
  });

  it("has a text for every topic, none of it wider than a terminal", () => {
    for (const topic of TOPICS) {
      expect(helpOf(topic)).toMatch(/^Usage: tailrace/);
      for (const line of helpOf(topic).split("\n")) expect(line.length, line).toBeLessThan(90);
    }
  });
});

describe("a plan", () => {
  it("is empty when nothing is said: the platform has the default", () => {
    expect(plan({})).toEqual({});
  });

  it("has steps as long as the default plan stays at such percentages, unless a time is given", () => {
    expect(plan({ steps: "2,30,100" }).steps).toEqual([
      { percent: 2, soakMinutes: 5 },
      { percent: 30, soakMinutes: 10 },
      { percent: 100, soakMinutes: 0 },
    ]);
    expect(plan({ steps: "1:30s,10%:1h,100", soak: "2m" }).steps).toEqual([
      { percent: 1, soakMinutes: 0.5 },
      { percent: 10, soakMinutes: 60 },
      { percent: 100, soakMinutes: 0 },
    ]);
    expect(plan({ soak: "1m" }).steps).toEqual(
      DEFAULT_PLAN.steps.map(({ percent }) => ({ percent, soakMinutes: percent === 100 ? 0 : 1 })),
    );
  });

  it("takes what the options leave out from the file, gate by gate", () => {
    const file = JSON.stringify({
      minSamples: 7,
      mode: "act",
      gates: { errors: { minEffect: 0.02 }, issues: { max: 3 } },
    });
    expect(plan({ plan: "p.json", advise: true, gate: ["errors=off"] }, file)).toEqual({
      minSamples: 7,
      mode: "advise",
      gates: { errors: null, issues: { max: 3 } },
    });
    const steps = [
      { percent: 50, soakMinutes: 9 },
      { percent: 100, soakMinutes: 0 },
    ];
    expect(plan({ plan: "p.json" }, JSON.stringify({ steps })).steps).toEqual(steps);
    expect(plan({ plan: "p.json", soak: "3m" }, JSON.stringify({ steps })).steps?.[0]).toEqual({
      percent: 50,
      soakMinutes: 3,
    });
  });

  it("has gates in the words of people", () => {
    const gate = ["errors=0.5%", "duration=p95,25%", "cpu=20ms", "issues=2", 'query:declined=1%:message:"a=b: c"'];
    expect(plan({ gate }).gates).toEqual({
      errors: { minEffect: 0.005 },
      duration: { quantile: 0.95, tolerance: 0.25, minMs: 50 },
      cpu: { quantile: 0.99, tolerance: 0.5, minMs: 20 },
      issues: { max: 2 },
      queries: [{ name: "declined", filter: 'message:"a=b: c"', minEffect: 0.01 }],
    });
    expect(plan({ gate: ["errors=0.07%"] }).gates?.errors?.minEffect).toBe(0.0007);
    expect(plan({ gate: ["duration=p99.9", "cpu=off"] }).gates).toMatchObject({
      duration: { quantile: 0.999 },
      cpu: null,
    });
  });
});

describe("what does not fit is told with what to do", () => {
  it.each([
    ["rollout frobnicate", /no command "rollout frobnicate".*start, status/],
    ["rollout start", /<worker> is missing/],
    ["rollout start shop", /--version <id> is missing/],
    ["rollout start shop more --version v2", /unexpected argument "more"/],
    ["rollout start shop --version v2 --steps 5,1,100", /must rise: 1 comes after 5/],
    ["rollout start shop --version v2 --steps 1,5", /must end with 100/],
    ["rollout start shop --version v2 --steps 0,100", /not "0"/],
    ["rollout start shop --version v2 --steps 33.333,100", /at most two decimals.*not "33.333"/],
    ["rollout start shop --version v2 --steps 5:ever,100", /not "5:ever"/],
    ["rollout start shop --version v2 --soak 5", /--soak must be a time/],
    ["rollout start shop --version v2 --min-samples none", /--min-samples must be a whole number/],
    ["rollout start shop --version v2 --gate errors", /errors=0.5%.*not "errors"/],
    ["rollout start shop --version v2 --gate errors=0.005", /not "errors=0.005"/],
    ["rollout start shop --version v2 --gate duration=slow", /not "duration=slow"/],
    ["rollout start shop --version v2 --gate query:x=1%", /not "query:x=1%"/],
    ["rollout start shop --version v2 --for 5m", /--for goes with --watch/],
    ["rollout pause shop --to 5", /--to is of promote only/],
    ["rollout promote shop --to all", /--to must be a percentage/],
    ["rollout abort", /<worker> or <id> is missing/],
    ["rollout list --state good", /--state must be one of/],
    ["rollout list a b", /unexpected argument "b"/],
    ["deploy --watch", /--watch goes with --gradual/],
    ["deploy --dry-run", /wrangler's own goes after --/],
    ["deploy --gradual -- deploy", /leave it out with --gradual/],
    ["deploy --gradual --env staging", /options of wrangler go after --/],
  ])("%s", (line, says) => {
    expect(refusal(() => read(line))).toMatch(says);
  });

  it("a file that is no plan", () => {
    expect(refusal(() => plan({ plan: "p.json" }, "{"))).toMatch(/p\.json is not JSON/);
    expect(refusal(() => plan({ plan: "p.json" }, "[]"))).toMatch(/must hold a plan/);
  });
});
