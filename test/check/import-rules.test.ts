/** The import rules of biome.json, each seen to bite and to let pass. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "tailrace-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rules that one file breaks when it imports `from`. */
async function brokenRules(file: string, from: string): Promise<string[]> {
  cpSync("biome.json", join(folder, "biome.json"));
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `import { x } from "${from}";\n\nexport const y = x;\n`);
  const biome = resolve("node_modules/.bin/biome");
  const args = [
    "lint",
    "--vcs-enabled=false",
    "--colors=off",
    "--reporter=json",
    "--only=style/noRestrictedImports",
    file,
  ];
  const { stdout } = await promisify(execFile)(biome, args, { cwd: folder }).catch(
    (error: { stdout: string }) => error,
  );
  rmSync(path);
  const report = JSON.parse(stdout) as { diagnostics: { category: string }[] };
  return report.diagnostics.map((diagnostic) => diagnostic.category);
}

test.each([
  ["workers/event/a.ts", "../ingest/tail.ts"],
  ["workers/event/a.ts", "../db/client.ts"],
  ["workers/util/a.ts", "../store/catalog.ts"],
  ["workers/db/a.ts", "../store/catalog.ts"],
  ["workers/ingest/a.ts", "../store/catalog.ts"],
  ["workers/ingest/a.ts", "../query/index.ts"],
  ["workers/ingest/deeper/a.ts", "../../api/app.ts"],
  ["workers/buffer/a.ts", "../ingest/settings.ts"],
  ["workers/buffer/a.ts", "../query/index.ts"],
  ["workers/store/a.ts", "../buffer/ingester.ts"],
  ["workers/store/a.ts", "../ingest/settings.ts"],
  ["workers/query/a.ts", "../ingest/tail.ts"],
  ["workers/query/a.ts", "../api/app.ts"],
  ["workers/api/a.ts", "../../test/support/events.ts"],
  ["workers/index.ts", "../demo/shop.ts"],
  ["workers/store/a.ts", "../../dashboard/src/main.ts"],
  ["dashboard/src/a.ts", "../../workers/store/catalog.ts"],
  ["dashboard/src/a.ts", "../../workers/api/app.ts"],
  ["demo/a.ts", "../workers/event/event.ts"],
])("%s may not import %s", async (file, from) => {
  expect(await brokenRules(file, from)).toEqual(["lint/style/noRestrictedImports"]);
});

test.each([
  ["workers/index.ts", "./api/app.ts"],
  ["workers/ingest/a.ts", "../buffer/contract.ts"],
  ["workers/buffer/a.ts", "../store/catalog.ts"],
  ["workers/store/a.ts", "../buffer/contract.ts"],
  ["workers/query/a.ts", "../store/segment-reader.ts"],
  ["workers/query/a.ts", "../buffer/contract.ts"],
  ["workers/query/a.ts", "../api/contract.ts"],
  ["dashboard/src/a.ts", "../../workers/api/contract.ts"],
])("%s may import %s", async (file, from) => {
  expect(await brokenRules(file, from)).toEqual([]);
});
