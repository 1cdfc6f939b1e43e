/** `npm start -- --rollout bad`, as it is played: the version is posted, noticed and taken back, and what is printed names the line. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTraffic, type Traffic } from "../../demo/traffic/index.ts";
import { edgeClient } from "../../scripts/local/edge-client.mjs";
import { prepareRollout, RELEASES, tellRollout } from "../../scripts/local/rollout.mjs";
import { startTestStack, type TestStack } from "../support/stack.ts";

/** Enough that the verdict takes seconds. */
const RATE = 80;

let tailrace: TestStack;
let traffic: Traffic;
beforeAll(async () => {
  tailrace = await startTestStack({ demo: true });
});
afterAll(async () => {
  await traffic?.stop();
  await tailrace?.stop();
});

test("a bad version at 5 % is taken back, and the evidence names its line", async () => {
  const { stack } = tailrace;
  const release = RELEASES.bad;
  const version = await prepareRollout({ stack, release });
  traffic = startTraffic({ shopUrl: stack.shopUrl?.replace("localhost", "127.0.0.1") ?? "", rate: RATE, seed: 1 });
  const lines: string[] = [];
  const report = (line: string) => lines.push(line);
  const answer = await tellRollout({ stack, release, version, report, signal: AbortSignal.timeout(90_000) });
  expect(answer?.rollout.state, lines.join("\n")).toBe("rolled_back");
  expect(lines.join("\n")).toMatch(/src\/v3\/delivery-promise\.ts:17:\d+ in deliveryPromise/);
  const deployments = await edgeClient(stack.edge as NonNullable<typeof stack.edge>).deployments(version.script);
  const shares = deployments.map(({ versions }) =>
    versions.map(({ version_id, percentage }) => [version_id, percentage]),
  );
  const [back, split, before] = shares;
  expect(back).toEqual(before);
  expect(split).toContainEqual([version.id, 5]);
});
