/** Versions that the stream shows together differ in colour, those of one Worker above all, and keep it. */
import { expect, test } from "vitest";
import { KnownVersions } from "../../../../dashboard/src/lib/live/known-versions.ts";
import { assignColours, colourVar, hashSlot, PALETTE_SIZE } from "../../../../dashboard/src/lib/versions.ts";

/** Ids that would all have the same colour by their hash. */
function alike(prefix: string, many: number, slot: number): string[] {
  const ids: string[] = [];
  for (let i = 0; ids.length < many; i++) if (hashSlot(`${prefix}-${i}`) === slot) ids.push(`${prefix}-${i}`);
  return ids;
}
const colours = (ids: readonly string[]) => new Set(ids.map(colourVar)).size;
const learn = (known: KnownVersions, script: string, versionId: string) =>
  known.learn({ script, versionId, tag: "", message: "" });

test("two Workers' versions differ, the first keeps its colour, and pages of one Worker change nothing", () => {
  const [a, b] = alike("two", 2, 4) as [string, string];
  const known = new KnownVersions();
  learn(known, "shop", a);
  learn(known, "stock", b);
  expect(colourVar(a)).toBe("--v4");
  const other = colourVar(b);
  expect(other).not.toBe("--v4");
  assignColours([b]);
  expect(colourVar(b)).toBe(other);
});

test("two versions of a Worker do not look alike while there are colours enough, in whatever order of hashes", () => {
  // Brown and ochre: two colours, and at a glance one.
  const [ochre] = alike("ochre", 1, 4) as [string];
  const [brown] = alike("brown", 1, 9) as [string];
  assignColours([ochre, brown]);
  expect(colourVar(ochre)).toBe("--v4");
  expect(["--v4", "--v9"]).not.toContain(colourVar(brown));
});

test("as many as there are colours differ; beyond it those of one Worker still do", () => {
  const known = new KnownVersions();
  const first = alike("first", PALETTE_SIZE - 1, 2);
  const second = alike("second", PALETTE_SIZE, 2);
  for (const id of first) learn(known, "first", id);
  learn(known, "second", second[0] as string);
  expect(colours([...first, second[0] as string])).toBe(PALETTE_SIZE);
  for (const id of second) learn(known, "second", id);
  expect(colours(first)).toBe(first.length);
  expect(colours(second)).toBe(second.length);
});
