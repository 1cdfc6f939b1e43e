/** Rollups where they are made (event/rollup.ts) and added up (store/counts/merge.ts). */
import { expect, test } from "vitest";
import { RollupBuilder, type RollupDelta } from "../../../workers/event/rollup.ts";
import { RollupSums } from "../../../workers/store/counts/merge.ts";

test.each(["constructor", "toString", "__proto__", "ok"])(
  "an outcome called %s is counted like any other",
  (outcome) => {
    const builder = new RollupBuilder();
    const fields = { script: "shop", sample_weight: 1, outcome };
    for (let n = 0; n < 3; n++) builder.count(fields, 0, 1, undefined);
    const built = builder.build();
    expect(Object.entries(built[0]?.outcomes ?? {})).toEqual([[outcome, 3]]);
    const sums = new RollupSums();
    for (let n = 0; n < 2; n++) for (const delta of JSON.parse(JSON.stringify(built)) as RollupDelta[]) sums.add(delta);
    expect(Object.entries(sums.list()[0]?.outcomes ?? {})).toEqual([[outcome, 6]]);
  },
);
