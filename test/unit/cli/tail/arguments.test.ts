/** The command line of `tailrace tail`, as a table. */
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../../cli/arguments.ts";
import { CliFailure } from "../../../../cli/failure.ts";
import { helpOf } from "../../../../cli/help.ts";

const ENV = { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "trl_x" };
const read = (words: string[], env: Record<string, string> = ENV) => readRequest(["tail", ...words], env);
const plain = {
  command: "tail",
  server: { url: "https://t.example", token: "trl_x" },
  worker: null,
  q: "",
  full: false,
  ids: false,
};

describe("what is asked for", () => {
  it.each<[string[], object]>([
    [[], {}],
    [["*"], {}],
    [["shop"], { worker: "shop" }],
    [["*", "shop"], { q: "shop" }],
    [["shop", "status:>=500", "level:error"], { worker: "shop", q: "status:>=500 level:error" }],
    [["shop", 'status:>=500 OR "card declined"'], { worker: "shop", q: 'status:>=500 OR "card declined"' }],
    [["level:error"], { q: "level:error" }],
    [["(a OR b)"], { q: "(a OR b)" }],
    [["NOT", "level:log"], { q: "NOT level:log" }],
    [["shop", "-colo:LHR", "-n"], { worker: "shop", q: "-colo:LHR -n" }],
    [["-colo:LHR", "--limit", "3"], { q: "-colo:LHR", limit: 3 }],
    [["shop", "--", "--strange"], { worker: "shop", q: "--strange" }],
    [["--rate", "50", "shop", "--json"], { worker: "shop", rate: 50, json: true }],
    [["--no-json", "--no-color"], { json: false, colour: false }],
    [["--color", "--full", "--show-ids"], { colour: true, full: true, ids: true }],
    [["--for", "1.5m", "--since=30s"], { forMs: 90_000, sinceMs: 30_000 }],
    [["--for", "250ms"], { forMs: 250 }],
  ])("%j", (words, more) => {
    expect(read(words)).toEqual({ ...plain, ...more });
  });

  it("help, wherever it stands", () => {
    for (const words of [["--help"], ["shop", "-h"]]) expect(read(words)).toEqual({ command: "help", topic: "tail" });
    expect(helpOf("tail")).toMatch(/^Usage: tailrace tail .*Exit code: 0 ended.*2 wrong arguments or filter\.$/s);
  });

  it.each<[Record<string, string>, boolean | undefined]>([
    [{}, undefined],
    [{ NO_COLOR: "1" }, false],
    [{ NO_COLOR: "" }, undefined],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ TERM: "dumb" }, false],
  ])("colours by the environment %j", (env, colour) => {
    expect(read([], { ...ENV, ...env })).toEqual(colour === undefined ? plain : { ...plain, colour });
    expect(read(["--color"], { ...ENV, ...env })).toEqual({ ...plain, colour: true });
    expect(read(["--no-color"], { ...ENV, ...env })).toEqual({ ...plain, colour: false });
  });
});

describe("what does not fit is told with what to do", () => {
  it.each<[string[], RegExp]>([
    [["--rate", "0"], /--rate must be a whole number from 1 to 5000, not "0"/],
    [["--rate", "5001"], /from 1 to 5000/],
    [["--rate"], /'--rate <value>' argument missing \(/],
    [["--limit", "-3"], /--limit must be .* not "-3"/],
    [["--limit", "1e3"], /--limit/],
    [["--for", "10"], /--for must be a time up to 24h, like 30s or 5m, not "10"/],
    [["--for", "25h"], /up to 24h/],
    [["--since", "0s"], /--since/],
    [["--frob"], /unknown option '--frob'; a filter that begins with -- goes after a lone --/],
  ])("%j", (words, says) => {
    expect(() => read(words)).toThrow(CliFailure);
    expect(() => read(words)).toThrow(says);
  });

  it("names the scope that a token needs", () => {
    expect(() => read(["shop"], { TAILRACE_URL: "https://t.example" })).toThrow(/an API token with the scope read/);
  });
});
