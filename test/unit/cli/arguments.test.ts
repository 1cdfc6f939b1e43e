/** The command line of `tailrace`, as a table: what is asked for, and what is said when it does not fit. */
import { describe, expect, it } from "vitest";
import { readRequest } from "../../../cli/arguments.ts";
import { CliFailure } from "../../../cli/failure.ts";
import { helpOf } from "../../../cli/help.ts";

const ENV = { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "trl_x" };
const server = { url: "https://t.example", token: "trl_x" };
const read = (line: string, env: Record<string, string> = ENV) => readRequest(line.split(" ").filter(Boolean), env);

function refusal(line: string, env?: Record<string, string>): string {
  try {
    read(line, env);
  } catch (error) {
    expect(error).toBeInstanceOf(CliFailure);
    expect((error as CliFailure).exitCode).toBe(2);
    return (error as CliFailure).message;
  }
  throw new Error(`${line} was taken`);
}

describe("what is asked for", () => {
  it.each([
    ["", { command: "help", topic: undefined }],
    ["--help", { command: "help", topic: undefined }],
    ["help sourcemaps upload", { command: "help", topic: "sourcemaps upload" }],
    ["sourcemaps", { command: "help", topic: undefined }],
    ["sourcemaps upload -h", { command: "help", topic: "sourcemaps upload" }],
    ["deploy --help", { command: "help", topic: "deploy" }],
    ["--version", { command: "version" }],
    [
      "sourcemaps upload dist --worker shop --version v1",
      { command: "upload", directory: "dist", worker: "shop", version: "v1", server },
    ],
    [
      "sourcemaps upload --worker=shop --version=v1 dist --url http://localhost:8787 --token abc",
      {
        command: "upload",
        directory: "dist",
        worker: "shop",
        version: "v1",
        server: { url: "http://localhost:8787", token: "abc" },
      },
    ],
    [
      "sourcemaps list --worker shop --version v1 --json",
      { command: "list", worker: "shop", version: "v1", json: true, server },
    ],
    ["deploy", { command: "deploy", worker: undefined, isVersionUpload: false, wrangler: [], server }],
    [
      "deploy --worker shop -- --env staging --outdir out",
      {
        command: "deploy",
        worker: "shop",
        isVersionUpload: false,
        wrangler: ["--env", "staging", "--outdir", "out"],
        server,
      },
    ],
    [
      "deploy -- deploy --minify",
      { command: "deploy", worker: undefined, isVersionUpload: false, wrangler: ["--minify"], server },
    ],
    [
      "deploy -- versions upload --tag v1",
      { command: "deploy", worker: undefined, isVersionUpload: true, wrangler: ["--tag", "v1"], server },
    ],
    [
      "deploy --versions-upload -- --tag v1",
      { command: "deploy", worker: undefined, isVersionUpload: true, wrangler: ["--tag", "v1"], server },
    ],
  ])("%s", (line, request) => {
    expect(read(line)).toEqual(request);
  });

  it("takes flags before the environment", () => {
    expect(read("deploy --url https://other.example")).toMatchObject({ server: { url: "https://other.example" } });
  });

  it("takes a service token for Cloudflare Access, when it is whole", () => {
    const access = { CLOUDFLARE_ACCESS_CLIENT_ID: "an-id", CLOUDFLARE_ACCESS_CLIENT_SECRET: "a-secret" };
    expect(read("deploy", { ...ENV, ...access })).toMatchObject({
      server: { access: { id: "an-id", secret: "a-secret" } },
    });
    expect(read("deploy", { ...ENV, CLOUDFLARE_ACCESS_CLIENT_ID: "an-id" })).toMatchObject({ server });
  });

  it("has a text for every command", () => {
    for (const topic of [undefined, "sourcemaps upload", "sourcemaps list", "deploy"] as const)
      expect(helpOf(topic)).toMatch(/^Usage: tailrace/);
  });
});

describe("what does not fit is told with what to do", () => {
  it.each([
    ["frobnicate", /no command "frobnicate".*sourcemaps upload/],
    ["sourcemaps delete", /no command "sourcemaps delete"/],
    ["sourcemaps upload", /<dir> is missing/],
    ["sourcemaps upload dist", /--worker <name> is missing/],
    ["sourcemaps upload dist --worker shop", /--version <id> is missing/],
    ["sourcemaps upload dist more --worker shop --version v1", /unexpected argument "more"/],
    ["sourcemaps upload dist --workers shop", /unknown option '--workers'/],
    ["sourcemaps upload dist --worker", /--worker/],
    ["deploy --env staging", /unknown option '--env'.*after --/],
    ["deploy staging", /unexpected argument "staging".*after --/],
    ["deploy -- versions deploy", /builds nothing/],
  ])("%s", (line, says) => {
    expect(refusal(line)).toMatch(says);
  });

  it("names the variable that is not set", () => {
    expect(refusal("deploy", {})).toMatch(/TAILRACE_URL is not set/);
    expect(refusal("deploy", { TAILRACE_URL: "https://t.example" })).toMatch(/TAILRACE_TOKEN is not set.*scope deploy/);
    expect(refusal("deploy", { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "a\nb" })).toMatch(/copied whole/);
    expect(refusal("deploy", { TAILRACE_URL: "", TAILRACE_TOKEN: "x" })).toMatch(/TAILRACE_URL/);
  });
});
