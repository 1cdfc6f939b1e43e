import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteMasker, masker } from "../../../../workers/delivery/egress/mask.ts";

const SECRET = "k3y/With+Odd=Chars&more";

describe("a secret in a text", () => {
  it("is masked as it is, and the rest stays", () => {
    expect(masker([SECRET])(`403 for ${SECRET}, sorry`)).toBe("403 for [secret], sorry");
  });

  it("is masked URL-encoded, form-encoded, in JSON, in base64 and inside Basic credentials", () => {
    const spellings = [
      encodeURIComponent(SECRET),
      encodeURIComponent(SECRET).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      new URLSearchParams({ k: SECRET }).toString(),
      JSON.stringify({ key: SECRET }),
      // As Go, Gson, PHP and a page write it.
      SECRET.replaceAll("&", "\\u0026"),
      SECRET.replaceAll("&", "\\u0026").replaceAll("=", "\\u003d"),
      SECRET.replaceAll("/", "\\/"),
      SECRET.replaceAll("&", "&amp;"),
      btoa(SECRET),
      btoa(`u:${SECRET}`),
      btoa(`us:${SECRET}`),
      btoa(`use:${SECRET}:x`),
      Buffer.from(SECRET).toString("base64url"),
    ];
    for (const spelling of spellings) {
      const masked = masker([SECRET])(`before ${spelling} after`);
      expect(masked, spelling).toContain("[secret]");
      expect(masked).toMatch(/^before .* after$/);
      expect(masked).not.toContain("k3y");
    }
  });

  it.each(["", "1", "12", "123"])("is masked to its last character in base64, after %j", (user) => {
    const masked = masker(["glc_0123456789abcdef"])(`no ${btoa(`${user}:glc_0123456789abcdef`)}, sorry`);
    expect(masked).toMatch(/\[secret\], sorry$/);
  });

  it("is masked in its parts where it is a URL: key, token in the path, value in the query", () => {
    const dsn = "https://0123456789abcdef0123456789abcdef@o1.ingest.example.com/42";
    const hook = "https://hooks.example.com/services/T0AAAAAAA/B0BBBBBBB/cccccccccCCCCCCC1?token=longSecret99";
    const mask = masker([dsn, hook]);
    expect(mask("sentry_key=0123456789abcdef0123456789abcdef")).toBe("sentry_key=[secret]");
    expect(mask("no such hook: cccccccccCCCCCCC1 / longSecret99")).toBe("no such hook: [secret] / [secret]");
    expect(mask("hooks.example.com/services answered")).toBe("hooks.example.com/services answered");
    expect(mask("/api/42/envelope/")).toBe("/api/42/envelope/");
  });

  it("is masked in its words where it is a list of headers", () => {
    const mask = masker(["authorization=Bearer abcdefgh12345678,x-team=blue"]);
    expect(mask("token abcdefgh12345678 has expired")).toBe("token [secret] has expired");
  });

  it("leaves texts alone where there is none, or one too short to look for", () => {
    expect(masker([])("a text")).toBe("a text");
    expect(masker(["", "a", "abc"])("abc a")).toBe("abc a");
  });

  it("is gone whatever it is made of, wherever it stands, in every spelling", () => {
    const text = fc.string({ unit: "binary", minLength: 8, maxLength: 40 }).map((s) => s.toWellFormed().trim());
    fc.assert(
      fc.property(
        text.filter((s) => s.length >= 8),
        fc.string(),
        fc.string(),
        (secret, before, after) => {
          const mask = masker([secret]);
          for (const spelled of [
            secret,
            encodeURIComponent(secret),
            btoa(String.fromCharCode(...new TextEncoder().encode(secret))),
          ])
            expect(mask(`${before} ${spelled} ${after}`).replaceAll(before, "").replaceAll(after, "")).not.toContain(
              spelled,
            );
        },
      ),
    );
  });
});

describe("a secret in bytes", () => {
  it("is blanked, and all lengths stay", () => {
    const bytes = new TextEncoder().encode(`\u0001\u0017${SECRET}é`);
    const masked = byteMasker([SECRET])(bytes);
    expect(masked.length).toBe(bytes.length);
    expect(new TextDecoder().decode(masked)).toBe(`\u0001\u0017${"*".repeat(SECRET.length)}é`);
    expect(byteMasker(["other-secret"])(bytes)).toBe(bytes);
  });

  it("is found where it is no ASCII", () => {
    const bytes = new TextEncoder().encode("schlüsselwörter");
    expect(new TextDecoder().decode(byteMasker(["schlüsselwörter"])(bytes))).toMatch(/^\*+$/);
  });
});
