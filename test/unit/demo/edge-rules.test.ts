/** What the local edge refuses to deploy, as Cloudflare does. */
import { describe, expect, test } from "vitest";
import { checkDeployment, type Facts } from "../../../demo/edge/account/rules.ts";
import type { Share, VersionRecord } from "../../../demo/edge/account/types.ts";

const version = (number: number, given: Partial<VersionRecord> = {}): VersionRecord => ({
  ...{ id: `v${number}`, script: "shop", number, createdAt: number, author: "", source: "api", triggeredBy: "upload" },
  ...{
    tag: "",
    message: "",
    bindings: [],
    compatibilityDate: "2026-11-01",
    compatibilityFlags: [],
    migrationTag: null,
  },
  ...{ main: "index.js", etag: "", handlers: ["fetch"], entrypoints: [], startupMs: 1 },
  ...given,
});
const share = (version_id: string, percentage: unknown) => ({ version_id, percentage }) as Share;
const all = (count: number) => Array.from({ length: count }, (_, n) => version(count - n));

function check(versions: unknown, facts: Partial<Facts> = {}) {
  const known = { versions: all(3), live: [share("v3", 100)], migrationTag: null, force: false, canRun: () => true };
  return checkDeployment({ strategy: "percentage", versions }, { ...known, ...facts });
}
const code = (versions: unknown, facts?: Partial<Facts>) => {
  const checked = check(versions, facts);
  return "refusal" in checked ? checked.refusal.code : undefined;
};

describe("a deployment", () => {
  test("of one or two versions whose percentages add up is taken as it is", () => {
    expect(check([share("v3", 95), share("v2", 5)])).toEqual({ shares: [share("v3", 95), share("v2", 5)] });
    expect(check([share("v1", 33.33), share("v2", 66.67)])).toHaveProperty("shares");
    expect(check([share("v3", 100), share("v2", 0)])).toHaveProperty("shares");
  });

  test.each<[string, unknown]>([
    ["no versions", []],
    ["no list", "v1"],
    ["three versions", [share("v1", 30), share("v2", 30), share("v3", 40)]],
    ["a version twice", [share("v1", 50), share("v1", 50)]],
    ["99 %", [share("v1", 50), share("v2", 49)]],
    ["a negative share", [share("v1", 110), share("v2", -10)]],
    ["a share that is no number", [share("v1", "100")]],
    ["null in the list", [null]],
  ])("of %s is refused", (_, versions) => {
    expect(check(versions)).toMatchObject({ refusal: { status: 400 } });
  });

  test("of a version that does not exist, or is not among the newest hundred, is refused", () => {
    expect(code([share("v9", 100)])).toBe(10222);
    expect(check([share("v2", 100)], { versions: all(101) })).toHaveProperty("shares");
    expect(check([share("v1", 100)], { versions: all(101) })).toMatchObject({ refusal: { status: 400 } });
  });

  test("across a Durable Object migration is refused, also when forced", () => {
    const versions = [version(2, { migrationTag: "m1" }), version(1)];
    expect(code([share("v1", 100)], { versions, migrationTag: "m1" })).toBe(10211);
    expect(code([share("v2", 95), share("v1", 5)], { versions, migrationTag: "m1", force: true })).toBe(10211);
    expect(code([share("v2", 100)], { versions, migrationTag: "m1" })).toBeUndefined();
  });

  test("back across changed secrets is refused and names them, until it is forced; going on is not", () => {
    const secret = (text: string) => ({ bindings: [{ name: "KEY", type: "secret_text", text }] });
    const versions = [version(3, secret("b")), version(2, secret("a")), version(1, secret("a"))];
    const back = check([share("v1", 100)], { versions });
    expect(back).toMatchObject({ refusal: { code: 10220, message: expect.stringMatching(/have changed: KEY$/) } });
    expect(code([share("v1", 100)], { versions, force: true })).toBeUndefined();
    expect(code([share("v1", 100)], { versions, live: [share("v2", 100)] })).toBeUndefined();
    expect(code([share("v3", 100)], { versions, live: [share("v1", 100)] })).toBeUndefined();
  });
});
