/** What is read from wrangler's arguments and its output file, and which wrangler it is. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isDryRun, optionOf } from "../../../cli/wrangler/arguments.ts";
import { findWrangler } from "../../../cli/wrangler/find.ts";
import { endOf, lastDeployed, readOutput } from "../../../cli/wrangler/output-file.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "tailrace-wrangler-"));
});
afterAll(() => rmSync(root, { recursive: true }));

describe("arguments", () => {
  it.each([
    [["--outdir", "a"], "a"],
    [["--outdir=a/b"], "a/b"],
    [["--outdir", "a", "--outdir=b"], "b"],
    [["--outdirs", "a"], undefined],
    [["--outdir"], undefined],
    [[], undefined],
  ])("%j has the outdir %s", (args, value) => {
    expect(optionOf(args, "outdir")).toBe(value);
  });

  it("a dry run is one in both spellings", () => {
    expect([["--dry-run"], ["--dry-run=true"], ["--dry-run=false"], []].map(isDryRun)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("the output file", () => {
  const session = { type: "wrangler-session", version: 1 };
  const lines = (...entries: unknown[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

  it("names Worker and version of a deployment or an upload; the last one counts", () => {
    expect(lastDeployed(lines(session, { type: "deploy", worker_name: "shop", version_id: "v1" }))).toEqual({
      worker: "shop",
      versionId: "v1",
    });
    const both = lines(
      { type: "deploy", worker_name: "a", version_id: "1" },
      { type: "version-upload", worker_name: "b", version_id: "2" },
    );
    expect(lastDeployed(both)).toEqual({ worker: "b", versionId: "2" });
  });

  it("may say neither, and may be broken", () => {
    expect(lastDeployed(lines(session))).toBeUndefined();
    expect(lastDeployed("")).toBeUndefined();
    expect(lastDeployed('{"type":"deploy"\nnull\n[]\n12')).toBeUndefined();
    const dry = lines({ type: "deploy", worker_name: null, version_id: null });
    expect(lastDeployed(dry)).toEqual({ worker: undefined, versionId: undefined });
  });

  it("is read from where it ended before this run", () => {
    const path = join(root, "output.ndjson");
    expect([endOf(path), readOutput(path, 0)]).toEqual([0, undefined]);
    writeFileSync(path, lines({ type: "deploy", worker_name: "earlier", version_id: "0" }));
    const from = endOf(path);
    expect(readOutput(path, from)).toBeUndefined();
    writeFileSync(path, lines({ type: "deploy", worker_name: "now", version_id: "1" }), { flag: "a" });
    expect(readOutput(path, from)).toEqual({ worker: "now", versionId: "1" });
  });
});

describe("the wrangler that runs", () => {
  const executable = (path: string) => {
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, 0o755);
    return path;
  };

  it("is the project's own, of the nearest folder; else one on the PATH; else a sentence says what to do", () => {
    const outer = executable(join(root, "repo/node_modules/.bin/wrangler"));
    const inner = executable(join(root, "repo/app/node_modules/.bin/wrangler"));
    expect(findWrangler(join(root, "repo/app/src"), "")).toBe(inner);
    expect(findWrangler(join(root, "repo/other"), "")).toBe(outer);
    const global = executable(join(root, "bin/wrangler"));
    expect(findWrangler("/nowhere/at/all", `/also/nowhere:${join(root, "bin")}`)).toBe(global);
    expect(() => findWrangler("/nowhere/at/all", "")).toThrow(/npm install --save-dev wrangler/);
  });
});
