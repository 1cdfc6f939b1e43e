/**
 * What an integration may reach (`integrations/contract.ts`): the guarded
 * network, the exports folder of the team's bucket, stacks in the team's own
 * source, numbers of issues. A Courier makes one when its destination changes,
 * `api/` one per test of a destination. What is looked up is worth a moment, never a failure: an event
 * without its link or its source lines is sent all the same.
 */
import type { Io } from "../../integrations/contract.ts";
import { createLookUp } from "../egress/names.ts";
import { createRequest } from "../egress/request.ts";
import { baseUrlNow, readBaseUrl } from "./base-url.ts";
import { exportKey } from "./export-key.ts";
import { IssueNumbers } from "./issue-numbers.ts";
import { Traces } from "./traces.ts";

export interface IoOptions {
  /** Opened secrets of the destination: masked in whatever `Io` says. */
  secrets: readonly string[];
  /** `Io.source`. */
  source: string;
  /** Folder below `exports/`; "" unless told otherwise. */
  prefix?: string;
}

/** Of the isolate: what names lead to is the same for all. */
const lookUp = createLookUp();

/** Never rejects. */
export async function createIo(
  env: Pick<Env, "DB" | "BUCKET" | "TAILRACE_ALLOW_LOOPBACK">,
  { secrets, source, prefix = "" }: IoOptions,
): Promise<Io> {
  const traces = new Traces(env);
  const issues = new IssueNumbers(env.DB);
  await readBaseUrl(env.DB, Date.now());
  const allowLoopback = env.TAILRACE_ALLOW_LOOPBACK === "true";
  return {
    request: createRequest({ allowLoopback, secrets, ...(allowLoopback ? {} : { lookUp }) }),
    async putObject(key, body, contentType) {
      await env.BUCKET.put(exportKey(prefix, key), body, { httpMetadata: { contentType } });
    },
    source,
    now: () => Date.now(),
    frames: async (script, version, stack) => [...(await traces.of(script, version, stack)).frames],
    trace: (script, version, stack, known) => traces.of(script, version, stack, known),
    issueOf: (fingerprint) => issues.of(fingerprint),
    get baseUrl() {
      return baseUrlNow(env.DB);
    },
  };
}
