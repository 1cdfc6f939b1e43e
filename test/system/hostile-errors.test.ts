/** Stacks and messages that are meant to hurt: bounded work, no event lost, an issue all the same. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { awaitIssues, awaitOneIssue, errorItem, stackOf, versionId } from "../support/issues.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const MANY_FRAMES = 10_000;
const MEGABYTE = 2 ** 20;
/** Each is a body of its own, so that limits of a body do not come first. */
const REPEATS = 5;

let tailrace: TestStack;
beforeAll(async () => {
  tailrace = await startTestStack();
});
afterAll(() => tailrace?.stop());

const frames = (count: number) => Array.from({ length: count }, (_, n) => `    at f${n} (index.js:${n}:7)`).join("\n");
const deepCause = (depth: number): string =>
  depth === 0 ? "" : `\nCaused by: Error: ${depth}\n    at c${depth} (index.js:1:${depth})${deepCause(depth - 1)}`;

const HOSTILE: Record<string, { name?: string; message?: string; stack?: string }> = {
  "ten thousand frames": { stack: `Error: deep\n${frames(MANY_FRAMES)}` },
  "a line of a megabyte": { stack: `Error: long\n    at ${"x".repeat(MEGABYTE)} (index.js:1:1)` },
  "a file name of a megabyte": { stack: `Error: long\n    at f (${"/a".repeat(MEGABYTE / 2)}.js:1:1)` },
  "brackets that never close": {
    stack: `Error: brackets\n    at ${"(".repeat(100_000)}eval at ${"f (".repeat(50_000)}`,
  },
  "spaces before each end": {
    message: `${" ".repeat(200_000)}x`,
    stack: `Error:${" ".repeat(200_000)}\n    at f (a:1:1)`,
  },
  "numbers that nearly are addresses": { message: "1.1.1.1.".repeat(50_000) },
  "almost an e-mail": { message: `${"a.".repeat(100_000)}@` },
  "almost a date": { message: "2026-11-".repeat(50_000) },
  "quotes without a partner": { message: `"'\`${"\\".repeat(200_000)}` },
  "hex without an end": { message: "0x".repeat(100_000) + "a".repeat(100_000) },
  "lone surrogates and controls": { message: "\ud800\u0000\u202e".repeat(10_000) },
  "a message that looks like frames": {
    message: `no\n${frames(500)}`,
    stack: `Error: no\n${frames(500)}\n    at real (index.js:1:1)`,
  },
  "a name as long as a message": { name: "N".repeat(300_000), stack: "    at f (index.js:1:1)" },
  "causes of causes": { stack: `Error: chain\n    at f (index.js:1:1)${deepCause(2_000)}` },
  "line numbers beyond all numbers": { stack: `Error: n\n    at f (index.js:${"9".repeat(400)}:${"9".repeat(400)})` },
};

test.concurrent.each(Object.entries(HOSTILE))("%s: kept, grouped, shown", async (name, thrown) => {
  const { client } = tailrace;
  const script = `hostile-${Object.keys(HOSTILE).indexOf(name)}`;
  for (let n = 0; n < REPEATS; n++) {
    const answer = await client.ingest([errorItem({ script, version: versionId(1), name: "Error", ...thrown })]);
    expect(answer).toEqual({ accepted: 1, rejected: [], dropped: 0 });
  }
  const issue = await awaitOneIssue(client, script, REPEATS);
  expect(issue.title.length).toBeLessThan(2_000);
  expect(issue.culprit.length).toBeLessThan(2_000);
  expect(await client.number(`script:${script} kind:exception | stats count()`)).toBe(REPEATS);
  const { trace } = await stackOf(client, issue.id);
  expect(trace.frames.length).toBeLessThan(MANY_FRAMES / 10);
});

test.concurrent("thousands of different errors of one Worker are all there as events, and bounded as issues", async () => {
  const { client } = tailrace;
  const script = "hostile-different";
  const letters = (n: number) => n.toString(36).replace(/\d/g, (digit) => "ghijklmnop"[Number(digit)] ?? "");
  const items = Array.from({ length: 2_000 }, (_, n) => {
    const stack = `Error${letters(n)}: x\n    at f${letters(n)} (index.js:1:1)`;
    return errorItem({ script, version: versionId(1), name: `Error${letters(n)}`, message: "x", stack });
  });
  for (let from = 0; from < items.length; from += 250) await client.ingest(items.slice(from, from + 250));
  expect(await client.number(`script:${script} kind:exception | stats count()`)).toBe(items.length);
  await awaitIssues(client, script, (found) => found.length > 0);
  expect((await client.health()).status).toBe(200);
});
