/** Errors to send and the issues that come of them, as the HTTP API has it. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type {
  IssueAnswer,
  IssueStateRequest,
  IssueSummary,
  IssuesAnswer,
  Notification,
  NotificationsAnswer,
  SourceMapInfo,
  StackAnswer,
} from "../../workers/api/contract.ts";
import type { Bundle } from "./bundled-app.ts";
import { type Client, until } from "./client.ts";
import { ADMIN_TOKEN } from "./stack.ts";

/** The issue's promise: told within 5 s. Everything that waits for an issue waits this long at most. */
export const TOLD_WITHIN_MS = 5_000;
const JSON_BODY = { "content-type": "application/json" };

export interface Thrown {
  script: string;
  version: string;
  name?: string;
  message?: string;
  stack?: string;
  time?: number;
  request?: { url?: string; method?: string; colo?: string; country?: string };
  outcome?: string;
  status?: number | null;
  logs?: unknown[];
}

/** A trace item of an invocation that failed of an uncaught exception. */
export function errorItem(thrown: Thrown): Record<string, unknown> {
  const { script, version, name = "Error", message = "it broke", time = Date.now(), request = {} } = thrown;
  const { url = "https://probe.example/orders", method = "POST", colo = "LHR", country = "GB" } = request;
  const status = thrown.status === undefined ? 500 : thrown.status;
  const stack = thrown.stack ?? `${name}: ${message}\n    at handle (index.js:10:5)\n    at fetch (index.js:20:3)`;
  return {
    event: {
      request: { url, method, headers: {}, cf: { colo, country } },
      ...(status === null ? {} : { response: { status } }),
    },
    eventTimestamp: time,
    logs: thrown.logs ?? [],
    exceptions:
      thrown.name === undefined && thrown.stack === undefined ? [] : [{ timestamp: time, name, message, stack }],
    diagnosticsChannelEvents: [],
    scriptName: script,
    scriptVersion: { id: version, tag: `v-${version.slice(0, 4)}`, message: `version ${version.slice(0, 4)}` },
    outcome: thrown.outcome ?? "exception",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 1,
    wallTime: 2,
  };
}

/** UUIDs that tell which version they are of. */
export const versionId = (n: number) => `${String(n).padStart(8, "0")}-0000-4000-8000-000000000000`;

async function ask<T>(client: Client, path: string): Promise<T> {
  const { status, body } = await client.call<T>("GET", path);
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function change<T>(client: Client, method: string, path: string, request: unknown): Promise<T> {
  const { status, body } = await client.call<T>(method, path, JSON.stringify(request), JSON_BODY);
  if (status >= 300) throw new Error(`${method} ${path} answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** All of a Worker's, noise and merged states included. */
export async function issuesOf(client: Client, script: string): Promise<IssueSummary[]> {
  const query = new URLSearchParams({ script, state: "all", kind: "all", from: "-24h", limit: "100" });
  return (await ask<IssuesAnswer>(client, `/api/v1/issues?${query}`)).issues;
}

/** Waits until the Worker's issues are as `accept` wants them. */
export function awaitIssues(
  client: Client,
  script: string,
  accept: (issues: IssueSummary[]) => boolean,
  deadlineMs = TOLD_WITHIN_MS,
): Promise<IssueSummary[]> {
  return until(() => issuesOf(client, script), accept, deadlineMs);
}

/** Waits until all occurrences are counted; fails when there is more than one issue. */
export async function awaitOneIssue(
  client: Client,
  script: string,
  count: number,
  deadlineMs = TOLD_WITHIN_MS,
): Promise<IssueSummary> {
  const issues = await awaitIssues(
    client,
    script,
    (found) => found.reduce((sum, issue) => sum + issue.count, 0) >= count,
    deadlineMs,
  );
  const [issue] = issues;
  if (issues.length !== 1 || issue === undefined || issue.count !== count) {
    throw new Error(`expected one issue of ${count}: ${JSON.stringify(issues)}`);
  }
  return issue;
}

export const issueOf = (client: Client, id: number) => ask<IssueAnswer>(client, `/api/v1/issues/${id}?from=-24h`);

export const stackOf = (client: Client, id: number, query = "") =>
  ask<StackAnswer>(client, `/api/v1/issues/${id}/stack${query}`);

export const setState = (client: Client, request: IssueStateRequest) =>
  change(client, "POST", "/api/v1/issues/state", request);

export async function notificationsOf(client: Client, script: string): Promise<Notification[]> {
  const { notifications } = await ask<NotificationsAnswer>(client, "/api/v1/notifications?limit=100");
  return notifications.filter((notification) => notification.script === script);
}

/** As a build without the command would; the endpoint converts a few at a time. */
export async function uploadMap(client: Client, script: string, version: string, map: unknown, file = "index.js") {
  const { status, body } = await until(
    () => uploadRaw(client, script, version, JSON.stringify(map), file),
    (answer) => answer.status !== 429,
    TOLD_WITHIN_MS,
  );
  if (status >= 300) throw new Error(`the map was refused with ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** As teams do: the command reads the code beside the map too, which tells functions by their names. */
export async function uploadBundle(client: Client, script: string, version: string, { code, map }: Bundle) {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-upload-"));
  try {
    writeFileSync(join(folder, "index.js"), `${code}\n//# sourceMappingURL=index.js.map\n`);
    writeFileSync(join(folder, "index.js.map"), JSON.stringify(map));
    const args = ["sourcemaps", "upload", folder, "--worker", script, "--version", version];
    await promisify(execFile)(process.execPath, ["cli/tailrace.mjs", ...args], {
      env: { ...process.env, TAILRACE_URL: client.url, TAILRACE_TOKEN: ADMIN_TOKEN },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the endpoint makes of these very bytes. */
export const uploadRaw = (client: Client, script: string, version: string, body: BodyInit, file = "index.js") =>
  client.call<SourceMapInfo>(
    "PUT",
    `/api/v1/workers/${encodeURIComponent(script)}/versions/${version}/sourcemaps/${encodeURIComponent(file)}`,
    body,
    JSON_BODY,
  );
