/** The command lines of `tailrace connect`, `disconnect`, `secrets` and `destinations`. */
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../cli/arguments.ts";
import { CliFailure } from "../../../cli/failure.ts";
import { helpOf } from "../../../cli/help.ts";

const ENV = { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "trl_x" };
const server = { url: "https://t.example", token: "trl_x" };
const read = (line: string, env: Record<string, string> = ENV) => readRequest(line.split(" ").filter(Boolean), env);

describe("what is asked for", () => {
  it.each([
    ["connect shop", { command: "connect", worker: "shop", waitMs: 120_000, json: false, server }],
    ["connect shop --for 5m --json", { command: "connect", worker: "shop", waitMs: 300_000, json: true, server }],
    ["connect shop --no-wait", { command: "connect", worker: "shop", waitMs: null, json: false, server }],
    ["connect --list", { command: "connections", json: false, server }],
    ["connect --help", { command: "help", topic: "connect" }],
    ["disconnect shop", { command: "disconnect", worker: "shop", force: false, json: false, server }],
    ["disconnect shop --force --json", { command: "disconnect", worker: "shop", force: true, json: true, server }],
    ["secrets rotate", { command: "secrets rotate", json: false, server }],
    ["secrets", { command: "help", topic: "secrets rotate" }],
    ["destinations list --json", { command: "destinations list", json: true, server }],
    ["destinations test Sentry", { command: "destinations test", name: "Sentry", json: false, server }],
    ["destinations", { command: "help", topic: "destinations" }],
  ])("%s", (line, request) => {
    expect(read(line)).toEqual(request);
  });
});

describe("what does not fit", () => {
  it.each([
    ["connect", /<worker> is missing/],
    ["connect a b", /unexpected argument "b"/],
    ["connect a/b", /no name of a Worker/],
    ["connect --list shop", /unexpected argument "shop"/],
    ["connect --list --no-wait", /--no-wait does not go with --list/],
    ["connect shop --for 5m --no-wait", /leave one out/],
    ["connect shop --for soon", /--for must be a time/],
    ["connect shop --wait", /unknown option '--wait'/],
    ["disconnect", /<worker> is missing/],
    ["disconnect shop --list", /unknown option/],
    ["secrets show", /there is no command "secrets show"/],
    ["secrets rotate now", /unexpected argument "now"/],
    ["destinations remove x", /there is no command "destinations remove"/],
    ["destinations list x", /unexpected argument "x"/],
    ["destinations test", /<name> is missing/],
    ["destinations test my hook", /quote a name/],
  ])("%s", (line, message) => {
    expect(() => read(line)).toThrow(message);
    expect(() => read(line)).toThrow(CliFailure);
  });

  it("says which scope the token needs", () => {
    expect(() => read("connect shop", { TAILRACE_URL: "https://t.example" })).toThrow(/scope admin/);
    expect(() => read("connect --list", { TAILRACE_URL: "https://t.example" })).toThrow(/scope read/);
  });
});

it("has a help text that fits a terminal for each", () => {
  for (const topic of ["connect", "disconnect", "secrets rotate", "destinations"] as const) {
    const lines = helpOf(topic).split("\n");
    expect(lines[0]).toContain(`tailrace ${topic}`);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(86);
  }
});
