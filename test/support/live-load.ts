/** What tests of the live tail send, and whom they let watch. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { TokenCreated } from "../../workers/api/contract.ts";
import type { Client } from "./client.ts";
import { LiveViewer, type ViewerOptions } from "./live-viewer.ts";
import { probeItem } from "./probes.ts";
import type { Stack } from "./stack.ts";

/** Handshakes at once. */
const OPENING = 50;

export async function createToken(client: Client, scope = "read"): Promise<TokenCreated> {
  const { status, body } = await client.call<TokenCreated>(
    "POST",
    "/api/v1/tokens",
    JSON.stringify({ name: "viewer", scope }),
    { "content-type": "application/json" },
  );
  if (status !== 201) throw new Error(`no token: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** All of them listening. */
export async function openViewers(url: string, wanted: readonly ViewerOptions[]): Promise<LiveViewer[]> {
  const viewers: LiveViewer[] = [];
  for (let at = 0; at < wanted.length; at += OPENING) {
    const some = wanted.slice(at, at + OPENING).map((options) => LiveViewer.open(url, options));
    viewers.push(...(await Promise.all(some)));
  }
  await Promise.all(viewers.map((viewer) => viewer.greeted));
  return viewers;
}

export const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** An invocation that failed: three events, one of them an exception. */
export function failedItem(script: string, batch: string, n: number): Record<string, unknown> {
  const exceptions = [
    { timestamp: Date.now(), name: "TypeError", message: "broken", stack: "    at f (index.js:1:1)" },
  ];
  return { ...probeItem(script, batch, n), outcome: "exception", exceptions };
}

/** Two events, one of them with a long line. */
export function wordyItem(script: string, batch: string, n: number, chars: number): Record<string, unknown> {
  const logs = [
    { timestamp: Date.now(), level: "info", message: ["probe", { probe: { batch, n } }, "x".repeat(chars)] },
  ];
  return { ...probeItem(script, batch, n), logs };
}

/** workerd with all its isolates and sockets. */
export function rssMib(stack: Stack): number {
  const kib = stack.pids().map((pid) => {
    if (process.platform !== "linux") return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)]));
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  });
  return kib.reduce((sum, one) => sum + one, 0) / 1024;
}
