/** A small Worker, minified by four bundlers: what it throws leads to the lines and functions that its source names. */
import { describe, expect, test } from "vitest";
import { readScopes } from "../../../workers/errors/source-map/scopes.ts";
import { BUNDLERS, type Mark, readMarks, thrownBy } from "../../support/bundled-app.ts";
import { open } from "../../support/source-maps.ts";

const marks = readMarks();
/** terser puts the whole `findUser` behind this `await`, and its map has no entry for it: the nearest is the line below. */
const WITHOUT_ENTRY = { bundlers: ["rollup + terser", "webpack"], function: "placeOrder", line: 9, mapped: 10 };

function expectedOf(bundler: string, mark: Mark): Mark {
  const { bundlers, line, mapped } = WITHOUT_ENTRY;
  const isMissing = bundlers.includes(bundler) && mark.function === WITHOUT_ENTRY.function && mark.line === line;
  return isMissing ? { ...mark, line: mapped } : mark;
}

describe.each(Object.entries(BUNDLERS))("%s", (bundler, build) => {
  test("every frame leads to its file, its line and its function", async () => {
    const bundle = await build();
    const scopes = readScopes(bundle.code);
    const map = await open(bundle.map, scopes.ok ? scopes.scopes : undefined);
    const found: [string, Mark[]][] = [];
    for (const [name, wanted] of marks) {
      const { stack = "" } = await thrownBy(bundle, name);
      const positions = [...stack.matchAll(/index\.js:(\d+):(\d+)/g)].map(([, line, column]) => ({
        line: Number(line),
        column: Number(column),
      }));
      const places = (await map.locateAll(positions)).filter((place) => !place?.file.includes("node_modules"));
      const frames = wanted.map(({ depth }): Mark => {
        const place = places[depth];
        const file = /src\/.*$/.exec(place?.file ?? "")?.[0] ?? "";
        return { file, line: place?.line ?? 0, function: place?.function?.split(".").at(-1) ?? "", depth };
      });
      found.push([name, frames]);
    }
    expect(found.length).toBeGreaterThan(3);
    expect(found).toEqual([...marks].map(([name, wanted]) => [name, wanted.map((mark) => expectedOf(bundler, mark))]));
  });
});
