/** The last step of `npm run deploy`, by the unmodified wrangler: a Worker gets its key for credentials once. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, FaultyHttp, no, ok } from "../support/faulty-http.ts";

const ACCOUNT = "0123456789abcdef0123456789abcdef";
const SCRIPT =
  'import { ensureSecretKey } from "./scripts/lib/secret-key.mjs"; console.log("made:", ensureSecretKey([]));';

let api: FaultyHttp;
const secrets: { name: string; type: string; text: string }[] = [];
const list = () => ok(secrets.map(({ name, type }) => ({ name, type })));
const cloudflare: Answer = (response, received) => {
  if (received.method === "PUT") secrets.push(JSON.parse(received.body));
  (received.method === "PUT" ? ok({}) : list())(response, received);
};

beforeAll(async () => {
  api = await FaultyHttp.start();
});
afterAll(() => api.stop());

async function ensure(): Promise<string> {
  const env = {
    ...process.env,
    CLOUDFLARE_API_BASE_URL: `${api.url}/client/v4`,
    CLOUDFLARE_API_TOKEN: "a-token-of-cloudflare-for-tests",
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    WRANGLER_SEND_METRICS: "false",
  };
  const { stdout, stderr } = await promisify(execFile)("node", ["--input-type=module", "-e", SCRIPT], { env });
  return stdout + stderr;
}

test("the key is made once, is 32 bytes, and is not printed", async () => {
  api.script(cloudflare);
  const first = await ensure();
  expect(first).toContain("made: true");
  expect(secrets.map(({ name, type }) => `${name} ${type}`)).toEqual(["TAILRACE_SECRET_KEY secret_text"]);
  const key = secrets[0]?.text ?? "";
  expect(Buffer.from(key, "base64")).toHaveLength(32);
  expect(first).not.toContain(key);
  expect(await ensure()).toContain("made: false");
  expect(secrets).toHaveLength(1);
});

test("a Worker whose secrets cannot be listed keeps the key it may have", async () => {
  api.script(no(403, 10_000, "Authentication error"));
  await expect(ensure()).rejects.toThrow(/cannot be told/);
  expect(api.received.map(({ method }) => method)).not.toContain("PUT");
});
