/** The options of `npm start`, as values. */
import { expect, test } from "vitest";
import { readOptions } from "../../../scripts/lib/options.mjs";

test("defaults", () => {
  expect(readOptions([], {})).toEqual({
    help: false,
    fresh: false,
    demo: true,
    build: true,
    verbose: false,
    rollout: undefined,
    rate: 8,
    seed: 1,
    port: 8787,
    data: ".tailrace",
    adminToken: undefined,
  });
});

test("options and variables are taken", () => {
  const env = { PORT: "9000", TAILRACE_DATA: "/data", TAILRACE_ADMIN_TOKEN: "a-long-token" };
  expect(readOptions(["--fresh", "--rate", "2.5", "--no-demo", "--seed=7"], env)).toMatchObject({
    fresh: true,
    rate: 2.5,
    demo: false,
    seed: 7,
    port: 9000,
    data: "/data",
    adminToken: "a-long-token",
  });
});

test("an empty variable is as good as none", () => {
  expect(readOptions([], { PORT: "", TAILRACE_DATA: "", TAILRACE_ADMIN_TOKEN: "" })).toMatchObject({
    port: 8787,
    data: ".tailrace",
    adminToken: undefined,
  });
});

test.each([
  [["--rate", " "], {}],
  [["--rate", "1e9"], {}],
  [["--rate=NaN"], {}],
  [["--seed", "1.5"], {}],
  [["--fresh=yes"], {}],
  [[], { PORT: "80.5" }],
  [[], { PORT: "-1" }],
  [[], { TAILRACE_ADMIN_TOKEN: "short" }],
  [[], { TAILRACE_ADMIN_TOKEN: "line\nbreak-in-it" }],
])("refused in one line: %j %j", (argv, env) => {
  expect(() => readOptions(argv, env)).toThrow(/^[^\n]+$/);
});

test("--rollout is the good one unless it says which, and brings traffic of its own", () => {
  expect(readOptions(["--rollout"], {})).toMatchObject({ rollout: "good", rate: 40 });
  expect(readOptions(["--rollout", "--fresh"], {})).toMatchObject({ rollout: "good", fresh: true });
  expect(readOptions(["--rollout", "bad", "--rate", "5"], {})).toMatchObject({ rollout: "bad", rate: 5 });
  expect(() => readOptions(["--rollout", "ugly"], {})).toThrow(/good, bad/);
  expect(() => readOptions(["--rollout", "--no-demo"], {})).toThrow(/needs the demo/);
});
