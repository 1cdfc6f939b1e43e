import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { open, seal } from "../../../workers/secrets/seal.ts";

const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const env = { TAILRACE_SECRET_KEY: key(1) };
const PURPOSE = "cloudflare-token:0123456789abcdef";

async function sealed(text: string, under = env, purpose = PURPOSE): Promise<string> {
  const result = await seal(under, purpose, text);
  if (!result.ok) throw new Error(result.message);
  return result.sealed;
}

describe("a sealed text", () => {
  it("opens again, whatever it says", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary" }).map((s) => s.toWellFormed()),
        fc.string(),
        async (text, purpose) => {
          expect(await open(env, purpose, await sealed(text, env, purpose))).toEqual({ ok: true, text });
        },
      ),
    );
  });

  it("is v1, with the key's id, and never the same twice", async () => {
    const [one, two] = [await sealed("a-token"), await sealed("a-token")];
    expect(one).toMatch(/^v1\.[\w-]{6}\.[\w-]+$/);
    expect(one).not.toBe(two);
    expect(one).not.toContain("a-token");
    expect(Buffer.from(one.split(".")[2] as string, "base64url").toString("latin1")).not.toContain("a-token");
  });

  it("does not open for another purpose: it cannot be moved to another place", async () => {
    const text = await sealed("a-token");
    for (const other of ["", "cloudflare-token:", `${PURPOSE} `, "webhook:1"])
      expect(await open(env, other, text), other).toMatchObject({ ok: false, code: "damaged" });
  });

  it("does not open when any character of it was changed, or when it was cut", async () => {
    const text = await sealed("a-token");
    for (let i = 0; i < text.length; i++) {
      const changed = `${text.slice(0, i)}${text[i] === "A" ? "B" : "A"}${text.slice(i + 1)}`;
      const result = await open(env, PURPOSE, changed);
      // The last character of base64 has bits that mean nothing.
      if (result.ok) expect([i, result.text]).toEqual([text.length - 1, "a-token"]);
      expect((await open(env, PURPOSE, text.slice(0, i))).ok).toBe(false);
    }
    expect((await open(env, PURPOSE, `${text}AAAA`)).ok).toBe(false);
    expect((await open(env, PURPOSE, `${text}.x`)).ok).toBe(false);
  });

  it("is asked for in vain with what never was one", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.base64String().map((s) => `v1.abcdef.${s}`),
        ),
        async (text) => {
          expect((await open(env, PURPOSE, text)).ok).toBe(false);
        },
      ),
    );
  });

  it("refuses what is no credential by its size", async () => {
    expect(await seal(env, PURPOSE, "x".repeat(65_537))).toMatchObject({ ok: false, code: "too_long" });
  });
});

describe("the key", () => {
  it("must be there: the failure says how to make one", async () => {
    const text = await sealed("a-token");
    for (const none of [{}, { TAILRACE_SECRET_KEY: "" }, { TAILRACE_SECRET_KEY: "  " }]) {
      for (const result of [await seal(none, PURPOSE, "x"), await open(none, PURPOSE, text)]) {
        expect(result).toMatchObject({ ok: false, code: "no_key" });
        expect(result.ok ? "" : result.message).toContain("openssl rand -base64 32");
      }
    }
  });

  it("must be 32 bytes of base64; the failure does not repeat it", async () => {
    const wrong = [
      "a passphrase",
      Buffer.alloc(31, 1).toString("base64"),
      Buffer.alloc(33, 1).toString("base64"),
      `${key(1)},`,
      "=".repeat(44),
    ];
    for (const secret of wrong) {
      const result = await seal({ TAILRACE_SECRET_KEY: secret }, PURPOSE, "x");
      expect(result).toMatchObject({ ok: false, code: "bad_key" });
      expect(result.ok ? "" : result.message).not.toContain(secret);
    }
  });

  it("may be written with a newline at its end, or in the URL alphabet", async () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const text = await sealed("a-token", { TAILRACE_SECRET_KEY: bytes.toString("base64") });
    for (const form of [`${bytes.toString("base64")}\n`, bytes.toString("base64url")])
      expect(await open({ TAILRACE_SECRET_KEY: form }, PURPOSE, text)).toMatchObject({ ok: true });
  });

  it("that is another one opens nothing, and says so", async () => {
    const text = await sealed("a-token");
    expect(await open({ TAILRACE_SECRET_KEY: key(2) }, PURPOSE, text)).toMatchObject({ ok: false, code: "other_key" });
  });

  it("is changed by putting the new one in front: the old one still opens, the new one seals", async () => {
    const old = await sealed("a-token");
    const both = { TAILRACE_SECRET_KEY: `${key(2)},${key(1)}` };
    expect(await open(both, PURPOSE, old)).toEqual({ ok: true, text: "a-token" });
    const anew = await sealed("a-token", both);
    expect(await open({ TAILRACE_SECRET_KEY: key(2) }, PURPOSE, anew)).toEqual({ ok: true, text: "a-token" });
    expect(await open(env, PURPOSE, anew)).toMatchObject({ ok: false, code: "other_key" });
  });
});
