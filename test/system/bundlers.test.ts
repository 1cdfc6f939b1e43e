/**
 * The same small Worker as four bundlers and minifiers make it, run in workerd
 * with a tail, and each of its errors followed back: to the function, file and
 * line that its source says.
 */
import { type BasicSourceMapConsumer, SourceMapConsumer } from "source-map";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StackAnswer, StackFrame } from "../../workers/api/contract.ts";
import { BUNDLERS, type Bundle, type Mark, readMarks } from "../support/bundled-app.ts";
import { awaitIssues, stackOf, uploadBundle, versionId } from "../support/issues.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

const MARKS = readMarks();
const NAMES = Object.keys(BUNDLERS);
/** terser puts the whole `findUser` behind an `await` without an entry of its own: the nearest one is a line off. */
const AWAIT_TOLERANCE = 1;
const CONTEXT_LINES = 11;

const scriptOf = (bundler: string) => `bundled-${NAMES.indexOf(bundler)}`;
const bundles = new Map<string, Bundle>();
let tailrace: TestStack;

beforeAll(async () => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) bundles.set(name, await bundle());
  tailrace = await startTestStack({ workers: [...bundles].map(([name, bundle]) => observedWorker(name, bundle)) });
});
afterAll(() => tailrace?.stop());

function observedWorker(bundler: string, { code }: Bundle): object {
  const script = scriptOf(bundler);
  const version = { id: versionId(1), tag: "v1", message: bundler };
  return {
    name: script,
    compatibilityDate: "2026-11-01",
    modules: [{ type: "ESModule", path: "index.js", contents: `${code}\n//# sourceURL=index.js\n` }],
    tails: [{ name: "tailrace", props: { local: true, script, version } }],
  };
}

const lineNear = (frame: StackFrame, mark: Mark) =>
  frame.isAsync ? Math.abs((frame.line ?? 0) - mark.line) <= AWAIT_TOLERANCE : frame.line === mark.line;

/** `Cart.total`, `#sum`, `new Money`: classes and marks before the name are as the runtime has them. */
const isNamed = (frame: StackFrame, mark: Mark) =>
  frame.function?.split(/[. ]/).at(-1)?.replace("#", "") === mark.function.replace("#", "");

/** Stacks of a Worker's issues by the case that the source line of their first own frame names. */
async function stacksOf(script: string): Promise<Map<string | undefined, StackAnswer>> {
  const issues = await awaitIssues(tailrace.client, script, (found) => found.length >= MARKS.size);
  const stacks = await Promise.all(issues.map(({ id }) => stackOf(tailrace.client, id)));
  return new Map(
    stacks.map((stack) => [
      /\/\/ (\w+) 0:/.exec(sourceLine(stack.trace.frames.find((frame) => frame.inApp)))?.[1],
      stack,
    ]),
  );
}

const sourceLine = (frame: StackFrame | undefined) =>
  frame?.context?.lines[(frame.line ?? 0) - frame.context.firstLine] ?? "";

describe.each(NAMES)("%s", (bundler) => {
  test("every error leads to the function, file and line that threw it", async () => {
    const { client, stack } = tailrace;
    const script = scriptOf(bundler);
    const bundle = bundles.get(bundler) as Bundle;
    await uploadBundle(client, script, versionId(1), bundle);
    const worker = await stack.mf.getWorker(script);
    for (const name of MARKS.keys()) {
      await worker.fetch(`http://app.example/?case=${name}`).then(
        (response) => expect.unreachable(`${name} answered ${response.status}`),
        () => {},
      );
    }
    const stacks = await stacksOf(script);
    const consumer = await new SourceMapConsumer(bundle.map as never);
    const wrong: string[] = [];
    for (const [name, marks] of MARKS) {
      const stack = stacks.get(name);
      if (stack === undefined) {
        wrong.push(`${name}: no stack begins at ${marks[0]?.file}:${marks[0]?.line}`);
        continue;
      }
      const { frames } = stack.trace;
      expect(stack.sourceMap).toBe("mapped");
      expect(Math.max(...frames.map((frame) => frame.context?.lines.length ?? 0))).toBeLessThanOrEqual(CONTEXT_LINES);
      wrong.push(...notMarked(name, frames, marks), ...notAsSourceMap(name, frames, marks, consumer));
    }
    expect(stacks.size).toBe(MARKS.size);
    consumer.destroy();
    expect(wrong).toEqual([]);
  });

  test("library frames are told from the team's own", async () => {
    const frames = (await stacksOf(scriptOf(bundler))).get("callback")?.trace.frames ?? [];
    const library = frames.filter((frame) => frame.file?.includes("node_modules/valibot/"));
    expect(library.length).toBeGreaterThan(1);
    expect(library.filter((frame) => frame.inApp)).toEqual([]);
    expect(frames[0]?.inApp).toBe(true);
  });
});

/** The frames of the team's own code, from the top: where the marks say, in their order. */
function notMarked(name: string, frames: StackFrame[], marks: readonly Mark[]): string[] {
  const own = frames.filter((frame) => frame.inApp);
  return marks.flatMap((mark) => {
    const frame = own[mark.depth];
    const isThere = frame?.file?.endsWith(mark.file) && lineNear(frame, mark) && isNamed(frame, mark);
    return isThere ? [] : [`${name} ${mark.depth}: ${mark.function} ${mark.file}:${mark.line}, not ${shown(frame)}`];
  });
}

/**
 * The same file and line as the package that everyone uses. Marks know better:
 * maps have no entry for an await, and for the dot behind a call that a
 * minifier moved there they have the call's line.
 */
function notAsSourceMap(name: string, frames: StackFrame[], marks: readonly Mark[], consumer: BasicSourceMapConsumer) {
  return frames.flatMap((frame) => {
    const { line, column, file } = frame.raw;
    const isMarked = marks.some((mark) => frame.file?.endsWith(mark.file) && frame.line === mark.line);
    if (line === null || column === null || frame.isAsync || isMarked || !file?.endsWith("index.js")) return [];
    const { source, line: wanted } = consumer.originalPositionFor({ line, column: column - 1 });
    if (source === null) return [];
    const path = source.replace(/^(?:\w+:\/\/)?[./]*/, "");
    return frame.line === wanted && frame.file?.endsWith(path)
      ? []
      : [`${name}: ${shown(frame)} where source-map says ${path}:${wanted}`];
  });
}

const shown = (frame: StackFrame | undefined) =>
  frame === undefined ? "no frame" : `${frame.function} ${frame.file}:${frame.line}`;
