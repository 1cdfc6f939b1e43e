/** `npm start` sends the source maps of every version of the shop, before its first visitor. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SourceMapsAnswer } from "../../workers/api/contract.ts";
import { startTestStack, type TestStack } from "../support/stack.ts";

let tailrace: TestStack;
beforeAll(async () => {
  tailrace = await startTestStack({ demo: true });
});
afterAll(() => tailrace?.stop());

interface Built {
  versions: { script: string; id: string; map: string }[];
}
const { versions } = JSON.parse(readFileSync("dist/demo/versions.json", "utf8")) as Built;

async function storedMaps() {
  const all = versions.map(async ({ script, id }) => {
    const path = `/api/v1/workers/${script}/versions/${id}/sourcemaps`;
    return (await tailrace.client.call<SourceMapsAnswer>("GET", path)).body.maps;
  });
  return Promise.all(all);
}

test("every version's map is there, and a second start leaves it as it is", async () => {
  const first = await storedMaps();
  expect(first.map((maps) => maps.map(({ file }) => file))).toEqual(versions.map(() => ["index.js"]));
  expect(first.map(([map]) => map?.bytes)).toEqual(versions.map(({ map }) => readFileSync(map).byteLength));
  tailrace = await tailrace.restart();
  expect(await storedMaps()).toEqual(first);
});
