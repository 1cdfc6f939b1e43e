/** A minified bundle of two functions, its source maps, and errors in it as the Collector tells them. */
import { env } from "cloudflare:workers";
import type { IssueDelta } from "../../../workers/errors/delta.ts";
import { fingerprintOf } from "../../../workers/errors/grouping/fingerprint.ts";
import { type CompiledRules, NO_RULES } from "../../../workers/errors/grouping/rules.ts";
import { MapStore } from "../../../workers/errors/maps/lookup.ts";
import { parseStack } from "../../../workers/errors/stack/parse.ts";
import { symbolicate } from "../../../workers/errors/symbolicate/symbolicate.ts";
import { mapsPath, send } from "../maps/support.ts";
import { delta, T0 } from "./support.ts";

/** Where the minified bundle's columns come from; every place is a function of its own on line 1 of its source. */
export const CART = "src/cart.ts";
export const PAY = "src/pay.ts";

/** Base64 VLQ of the Source Map specification. */
function vlq(n: number): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let text = "";
  for (let rest = n < 0 ? (-n << 1) | 1 : n << 1; ; ) {
    const digit = rest & 31;
    rest >>>= 5;
    text += digits[rest > 0 ? digit | 32 : digit];
    if (rest === 0) return text;
  }
}

/** `places`: from generated column n × 100 on, the source at that index. */
export function mapOf(places: readonly string[], names = places.map((_, n) => `fn${n}`)): string {
  let source = 0;
  let name = 0;
  const segments = places.map((_, n) => {
    const text = [n === 0 ? 0 : 100, n - source, 0, 0, n - name].map(vlq).join("");
    source = n;
    name = n;
    return text;
  });
  const sources = [...places];
  return JSON.stringify({ version: 3, sources, names, mappings: segments.join(",") });
}

/** As the Collector makes it: with the map where there is one. */
export async function errorAt(
  script: string,
  versionId: string,
  column: number,
  more: Partial<IssueDelta> = {},
  { rules = NO_RULES, tenant }: { rules?: CompiledRules; tenant?: string } = {},
): Promise<IssueDelta> {
  const stack = `    at a (index.js:1:${column})\n    at fetch (index.js:1:${column + 5})`;
  const { type, message } = { type: "TypeError", message: "x is not a function" };
  const where = { script, version: versionId };
  const { trace, state } = await symbolicate(parseStack(stack, { type, message }), where, new MapStore(env), {
    context: false,
  });
  const facts = { script, kind: "exception" as const, noise: "", type, message, trace, versionId };
  const waitsForMap = state === "missing" || state === "failed";
  const { used, ...grouping } = fingerprintOf({ ...facts, waitsForMap, attribute: () => tenant }, rules);
  const at = more.lastSeen ?? T0;
  return delta({
    script,
    versionId,
    at,
    exemplar: { invocationId: "b".repeat(32), seq: 1, time: at, type, message, stack, ...(used && { used }) },
    ...grouping,
    ...more,
  });
}

export async function putMap(script: string, version: string, map: string): Promise<void> {
  const response = await send(`${mapsPath(script, version)}/index.js`, new TextEncoder().encode(map), {
    "content-type": "application/json",
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
}
