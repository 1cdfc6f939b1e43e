import { expect, test, vi } from "vitest";
import { compilePolicy } from "../../../workers/ingest/policy.ts";
import { DEFAULT_SETTINGS, parsePlatformSettings } from "../../../workers/ingest/settings.ts";
import { bench, fetchItem, NOW_MS } from "./support.ts";

const stored = { redaction: { keys: ["x-customer"], except: [], cardNumbers: true, emails: true }, worker: {} };

test("stored settings of grouping that cannot be read are left out; the others stay", () => {
  const broken = [
    { fingerprintRules: "type:E -> e", userAttributes: [] },
    { fingerprintRules: [] },
    { fingerprintRules: [], userAttributes: [], more: 1 },
    7,
  ];
  for (const grouping of broken) expect(parsePlatformSettings(JSON.stringify({ ...stored, grouping }))).toEqual(stored);
  const good = { ...stored, grouping: { fingerprintRules: ["type:E -> e"], userAttributes: ["tenant"] } };
  expect(parsePlatformSettings(JSON.stringify(good))).toEqual(good);
  expect(parsePlatformSettings(JSON.stringify({ ...good, redaction: 5 }))).toBeUndefined();
});

test("a stored rule that means nothing drops out and is said once; the others hold", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const bad = Array.from({ length: 45 }, () => "type:Nothing nothing");
  const fingerprintRules = ["type:A -> both", ...bad, "type:B -> both"];
  const platform = { ...DEFAULT_SETTINGS.platform, grouping: { fingerprintRules, userAttributes: [] } };
  const b = bench(compilePolicy({ ...DEFAULT_SETTINGS, platform }));
  const said = warn.mock.calls.length;
  expect(said).toBe(bad.length);
  const intake = b.intake();
  for (const name of ["A", "B", "C"]) {
    intake.take(fetchItem({ outcome: "exception", exceptions: [{ timestamp: NOW_MS, name, message: "no" }] }));
  }
  const settled = intake.settled();
  await b.clock.advance(1_000);
  await settled;
  expect(b.recorder.issues().map(({ type, count }) => [type, count])).toEqual([
    ["A", 2],
    ["C", 1],
  ]);
  expect(warn).toHaveBeenCalledTimes(said);
  warn.mockRestore();
});
