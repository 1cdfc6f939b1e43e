import { describe, expect, it } from "vitest";
import { ensureSecretKey, newSecretKey } from "../../../scripts/lib/secret-key.mjs";
import { open, seal } from "../../../workers/secrets/seal.ts";

/** wrangler, as far as secrets go. */
function wrangler(secrets: { ok?: boolean; stdout: string }, put = true) {
  const ran: { args: string[]; input: string | undefined }[] = [];
  const run = (args: string[], input?: string) => {
    ran.push({ args, input });
    return args[1] === "list" ? { ok: secrets.ok ?? true, stdout: secrets.stdout } : { ok: put, stdout: "" };
  };
  return { ran, run };
}

describe("the secret key of a deployed Worker", () => {
  it("is made and set when the Worker has none, over standard input only", () => {
    const { ran, run } = wrangler({ stdout: '[{"name":"TAILRACE_ADMIN_TOKEN","type":"secret_text"}]' });
    expect(ensureSecretKey(["--env", "staging"], run)).toBe(true);
    expect(ran.map(({ args }) => args.join(" "))).toEqual([
      "secret list --format json --env staging",
      "secret put TAILRACE_SECRET_KEY --env staging",
    ]);
    const key = ran[1]?.input ?? "";
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    expect(JSON.stringify(ran.map(({ args }) => args))).not.toContain(key);
  });

  it("is never replaced: what it encrypted could not be read any more", () => {
    const { ran, run } = wrangler({ stdout: '[{"name":"TAILRACE_SECRET_KEY","type":"secret_text"}]' });
    expect(ensureSecretKey([], run)).toBe(false);
    expect(ran).toHaveLength(1);
  });

  it.each([
    ["wrangler fails", { ok: false, stdout: "[]" }],
    ["its answer is no list", { stdout: "Please log in" }],
    ["its answer is another shape", { stdout: '{"secrets":[]}' }],
  ])("is not touched when %s", (_, secrets) => {
    const { ran, run } = wrangler(secrets);
    expect(() => ensureSecretKey([], run)).toThrow(/cannot be told/);
    expect(ran).toHaveLength(1);
  });

  it("that cannot be set is a complaint that says what to do", () => {
    expect(() => ensureSecretKey([], wrangler({ stdout: "[]" }, false).run)).toThrow(/run npm run deploy again/);
  });

  it("is one that the Worker takes", async () => {
    const env = { TAILRACE_SECRET_KEY: newSecretKey() };
    const sealed = await seal(env, "a", "text");
    expect(sealed.ok && (await open(env, "a", sealed.sealed))).toEqual({ ok: true, text: "text" });
  });
});
