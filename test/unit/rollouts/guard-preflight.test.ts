/** Preflight: one test per finding, of what it says and when it does not. */
import { describe, expect, it } from "vitest";
import type { VersionDetail } from "../../../workers/cloudflare/contract.ts";
import { type Facts, isRefused, mayStart, preflight } from "../../../workers/rollouts/guard/preflight.ts";

const version = (id: string, number: number, more: Partial<VersionDetail> = {}): VersionDetail => ({
  id,
  number,
  createdAt: 0,
  author: "",
  tag: "",
  message: "",
  migrationTag: null,
  compatibilityDate: "2026-11-01",
  bindings: [],
  ...more,
});
const OLD = version("old", 1);
const NEW = version("new", 2);

const FACTS: Facts = {
  self: "tailrace",
  script: "shop",
  wanted: "new",
  live: {
    ...{ id: "d1", createdAt: 0, author: "", message: "", triggeredBy: "" },
    versions: [{ version: "old", percent: 100 }],
  },
  old: OLD,
  new: NEW,
  versions: [NEW, OLD],
  tailConsumers: ["tailrace"],
  telemetry: { requests: 1_000, minutes: 10 },
  maps: { old: true, new: true },
  mode: "act",
  running: null,
  phase: "start",
};

const codes = (more: Partial<Facts>) => preflight({ ...FACTS, ...more }).map(({ level, code }) => `${level} ${code}`);
const split = {
  ...{ id: "d2", createdAt: 0, author: "", message: "", triggeredBy: "" },
  versions: [
    { version: "old", percent: 90 },
    { version: "new", percent: 10 },
  ],
};
const binding = (name: string, type = "kv_namespace", target = "1") => ({ name, type, target });

it("finds nothing where nothing is wrong", () => {
  expect(preflight(FACTS)).toEqual([]);
});

describe("what refuses", () => {
  it.each<[string, Partial<Facts>]>([
    ["own_worker", { script: "tailrace" }],
    ["rollout_running", { running: "r1" }],
    ["not_deployed", { live: null, old: null }],
    ["split_live", { live: split }],
    ["already_live", { wanted: "old", new: OLD }],
    ["not_uploaded", { new: null, wanted: "gone" }],
    ["migration_differs", { new: version("new", 2, { migrationTag: "v2" }) }],
    ["version_window", { versions: [NEW] }],
    ["not_deployable", { versions: [OLD] }],
    ["not_observed", { tailConsumers: [], telemetry: { requests: 0, minutes: 10 } }],
    ["not_observed", { tailConsumers: ["other"], telemetry: { requests: null, minutes: 10 } }],
  ])("%s", (code, more) => {
    const findings = preflight({ ...FACTS, ...more });
    expect(findings.find(({ level }) => level === "refuse")?.code).toBe(code);
    expect(mayStart(findings, true)).toBe(false);
    expect(isRefused(findings)).toBe(true);
  });

  it("a split of ours, or one that is only watched, is none of it", () => {
    expect(codes({ live: split, phase: "step" })).toEqual([]);
    expect(codes({ live: split, mode: "advise" })).toEqual([]);
  });
});

describe("what warns", () => {
  it.each<[string, Partial<Facts>]>([
    ["binding_deleted", { old: version("old", 1, { bindings: [binding("CARTS")] }) }],
    [
      "binding_changed",
      {
        old: version("old", 1, { bindings: [binding("CARTS")] }),
        new: version("new", 2, { bindings: [binding("CARTS", "kv_namespace", "2")] }),
      },
    ],
    ["secret_changed", { old: version("old", 1, { bindings: [binding("KEY", "secret_text", "")] }) }],
    ["secret_changed", { new: version("new", 2, { bindings: [binding("KEY", "secret_text", "")] }) }],
    ["secret_changed", { versions: [{ ...NEW, triggeredBy: "secret" }, OLD] }],
    ["older_version", { old: version("old", 3), versions: [version("old", 3), NEW] }],
    ["no_source_map", { maps: { old: true, new: false } }],
    ["no_traffic", { telemetry: { requests: 0, minutes: 10 } }],
  ])("%s", (code, more) => {
    const findings = preflight({ ...FACTS, ...more });
    expect(findings).toMatchObject([{ level: "warn", code }]);
    expect(mayStart(findings, false)).toBe(false);
    expect(mayStart(findings, true)).toBe(true);
  });

  it("the old version is near the end of the window, and how near", () => {
    const between = Array.from({ length: 98 }, (_, i) => version(`v${i}`, i + 2));
    const findings = preflight({ ...FACTS, versions: [NEW, ...between, OLD] });
    expect(findings).toMatchObject([{ level: "warn", code: "version_window" }]);
    expect(findings[0]?.message).toContain("with the next upload");
    expect(codes({ versions: [NEW, ...between.slice(0, 80), OLD] })).toEqual([]);
  });

  it("not of plain values, nor of a secret that was changed before both", () => {
    const bound = (target: string) => ({ bindings: [binding("LEVEL", "plain_text", target)] });
    expect(codes({ old: version("old", 1, bound("debug")), new: version("new", 2, bound("info")) })).toEqual([]);
    expect(codes({ versions: [NEW, { ...OLD, triggeredBy: "secret" }] })).toEqual([]);
  });
});

it("telemetry that comes some other way than by tail_consumers is good to know of, no obstacle", () => {
  expect(codes({ tailConsumers: [] })).toEqual(["info not_observed"]);
  expect(codes({ telemetry: { requests: null, minutes: 10 } })).toEqual(["info traffic_unknown"]);
});

it("a source map is missed where the other version has one; without any both are as they are in their bundles", () => {
  expect(codes({ maps: { old: false, new: true } })).toEqual(["info no_source_map"]);
  expect(codes({ maps: { old: false, new: false } })).toEqual([]);
  expect(codes({ maps: null })).toEqual([]);
});

it("says what to do in each finding", () => {
  const findings = preflight({ ...FACTS, tailConsumers: [], telemetry: { requests: 0, minutes: 10 } });
  expect(findings[0]?.message).toContain('tail_consumers = [{ service = "tailrace" }]');
});
