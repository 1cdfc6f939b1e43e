import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRedactor, REDACTED } from "../../../workers/ingest/redact/redact.ts";
import { parsePlatformSettings } from "../../../workers/ingest/settings.ts";
import { eventsOf, fetchItem, logItem, redactor } from "./support.ts";

const defaults = { keys: [], except: [], cardNumbers: true, emails: false };

describe("names that hold secrets", () => {
  test.each([
    "authorization",
    "Proxy-Authorization",
    "cookie",
    "Set-Cookie",
    "x-api-key",
    "apiKey",
    "api_key",
    "accessToken",
    "refresh_token",
    "X-CSRF-Token",
    "clientSecret",
    "password",
    "dbPassword",
    "db.pwd",
    "user[password]",
    "user%5Bpassword%5D",
    "credentials",
    "sessionId",
    "cardNumber",
    "x-amz-signature",
  ])("%s is hidden", (name) => expect(redactor.sensitive(name)).toBe(true));

  test.each(["author", "tokens", "max_tokens", "cookie_consent", "key", "cacheKey", "monkey", "status", "passage", ""])(
    "%s is not",
    (name) => expect(redactor.sensitive(name)).toBe(false),
  );

  test("a bare `key` is hidden in a query string only", () => {
    expect(redactor.sensitiveInQuery("key")).toBe(true);
    expect(redactor.text("https://maps.test/?key=abc123&zoom=3")).toBe("https://maps.test/?key=REDACTED&zoom=3");
    expect(redactor.text("cache key=abc123")).toBe("cache key=abc123");
  });

  test("texts under `tokens` are hidden, counts are not", () => {
    const [, log] = eventsOf(logItem("used", { tokens: 812, max_tokens: 4096, usage: { tokens: { in: 5, out: 7 } } }));
    expect(log?.attributes).toEqual({ tokens: 812, max_tokens: 4096, "usage.tokens.in": 5, "usage.tokens.out": 7 });
    const [, secret] = eventsOf(
      logItem("used", { tokens: ["s3cr3t-a"], refreshTokens: "s3cr3t-b", deep: [{ tokens: ["s3cr3t-c"] }] }),
    );
    expect(JSON.stringify(secret)).not.toContain("s3cr3t");
    expect(redactor.text("tokens=812 tokens: abcdef")).toBe("tokens=812 tokens: REDACTED");
  });

  test("names can be added, with wildcards, and names of the default set can be spared", () => {
    const own = compileRedactor({ ...defaults, keys: ["Customer-Name", "iban*"], except: ["*csrf*", "otp"] });
    expect(own.sensitive("customerName")).toBe(true);
    expect(own.sensitive("IBAN_de")).toBe(true);
    expect(own.sensitive("csrf")).toBe(false);
    expect(own.sensitive("otp")).toBe(false);
    expect(own.sensitive("password")).toBe(true);
  });
});

test.each(["*", "***", "", "-", " _ "])("the pattern %j says nothing and is refused", (pattern) => {
  const settings = JSON.stringify({ redaction: { ...defaults, keys: [pattern] }, worker: {} });
  expect(parsePlatformSettings(settings)).toBeUndefined();
});

test("a pattern made to be slow is as fast as any other", () => {
  const slow = compileRedactor({ ...defaults, keys: [`${"*a".repeat(31)}*x`], except: [] });
  expect(slow.sensitive("a".repeat(128))).toBe(false);
  expect(slow.sensitive(`${"a".repeat(127)}x`)).toBe(true);
});

test("a pattern means what it means as a regular expression", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  const glob = fc
    .string({ unit: fc.constantFrom("a", "b", "*"), minLength: 1, maxLength: 6 })
    .filter((g) => /[^*]/.test(g));
  fc.assert(
    fc.property(glob, letters, (pattern, name) => {
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(name);
      expect(compileRedactor({ ...defaults, keys: [pattern] }).sensitive(name)).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});

describe("text", () => {
  test.each([
    ["password=hunter2 sent", "password=REDACTED sent"],
    ["password: hunter2, user: bob", "password: REDACTED, user: bob"],
    ["password = 'hunter 2' done", "password = 'REDACTED' done"],
    ['{"user":"bob","password":"hunter2","n":1}', '{"user":"bob","password":"REDACTED","n":1}'],
    ['{"a":"{\\"token\\":\\"abc\\",\\"b\\":1}"}', '{"a":"{\\"token\\":\\"REDACTED\\",\\"b\\":1}"}'],
    [
      '{"a":"{\\"b\\":\\"c\\",\\"token\\":\\"a\\\\\\"bc\\",\\"n\\":1}"}',
      '{"a":"{\\"b\\":\\"c\\",\\"token\\":\\"REDACTED\\",\\"n\\":1}"}',
    ],
    ['{"credentials":{"user":"bob","pw":"x}"},"n":1}', '{"credentials":REDACTED,"n":1}'],
    ["pin for secrets: [1, 2, 3] end", "pin for secrets: REDACTED end"],
    ["Authorization: Bearer abc.def", "Authorization: REDACTED"],
    ["Cookie: a=1; b=2\nnext line", "Cookie: REDACTED\nnext line"],
    ["auth: Basic dXNlcjpwYXNz ok", "auth: REDACTED ok"],
    ["got Bearer abcdef0123456789 back", "got Bearer REDACTED back"],
    ["GET /login?token=abc&page=2", "GET /login?token=REDACTED&page=2"],
    ["https://bob:hunter2@shop.test/a", "https://REDACTED@shop.test/a"],
    ["https://bob:hun@ter2@shop.test/a@b", "https://REDACTED@shop.test/a@b"],
    ['[["cookie","a=1; b=2"],["accept","*/*"]]', '[["cookie","REDACTED"],["accept","*/*"]]'],
    ["[ [ 'cookie', 'a=1; b=2' ], [ 'accept', '*/*' ] ]", "[ [ 'cookie', 'REDACTED' ], [ 'accept', '*/*' ] ]"],
    ['[["password","hunter2"]] sent', '[["password","REDACTED"]] sent'],
    ['{"h":"[[\\"cookie\\",\\"a\\"]]"}', '{"h":"[[\\"cookie\\",\\"REDACTED\\"]]"}'],
    ['["authorization",["a","b"]]', '["authorization",REDACTED]'],
    ['[["cookie","a=1; b=', '[["cookie","REDACTED'],
    ["id eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig-na_ture end", "id REDACTED end"],
    ["using AKIAIOSFODNN7EXAMPLE now", "using REDACTED now"],
    ["ghp_0123456789abcdefghij0123456789abcdef", "REDACTED"],
    ["a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a REDACTED b"],
    ["paid with 4111 1111 1111 1111", "paid with REDACTED"],
    ["paid with 4111-1111-1111-1111 12/29", "paid with REDACTED 12/29"],
    ["card:378282246310005.", "card:REDACTED."],
    ["?note=4111+1111+1111+1111&a=1", "?note=REDACTED&a=1"],
    ["/go?next=https%3A%2F%2Fb%2F%3Ftoken%3Dabc&a=1", "/go?next=https%3A%2F%2Fb%2F%3Ftoken%3DREDACTED&a=1"],
    ["?state=%7B%22token%22%3A%22abc%22%7D", "?state=%7B%22token%22%3A%22REDACTED%22%7D"],
    ["?a=b%253Fpassword%253Dabc", "?a=b%253Fpassword%253DREDACTED"],
    ["?a=%FF%3Fpassword%3Dabc", "?a=%25FF%3Fpassword%3DREDACTED"],
  ])("%s", (text, clean) => expect(redactor.text(text)).toBe(clean));

  test.each([
    "took: 12ms at 12:30:45, ratio=0.5",
    "tokens: 812, author: bob",
    "order 1795213562458000 at 1795213562458",
    "trace 8d9f2c1e-0a44-4a7c-9a83-2f5a9b6e1c77",
    "4111 1111 1111 1112 fails its check digit",
    "password: null, token: undefined",
    "https://shop.test/products/12?color=red#top",
    "skip-level disk-full basic training begins",
    "bob@shop.test wrote",
    '["password","email","name"] are missing',
    '["tokens",812] ["cookie", 7] ["author","bob"]',
    "100%25 of caf%C3%A9 a%20b %zz ?q=50%3E40",
  ])("nothing to hide in: %s", (text) => expect(redactor.text(text)).toBe(text));

  test("e-mail addresses are hidden if asked for", () => {
    const strict = compileRedactor({ ...defaults, emails: true });
    expect(strict.text("from bob.smith+x@mail.shop.test, thanks")).toBe("from REDACTED, thanks");
    expect(strict.text("/reset?email=bob.smith%40shop.test&a=1")).toBe("/reset?email=REDACTED&a=1");
  });

  test("card numbers may be allowed, and are also numbers", () => {
    expect(redactor.number(4111111111111111)).toBe(REDACTED);
    expect(redactor.number(1795213562458)).toBe(1795213562458);
    const lax = compileRedactor({ ...defaults, cardNumbers: false });
    expect(lax.text("4111111111111111")).toBe("4111111111111111");
    expect(lax.number(4111111111111111)).toBe(4111111111111111);
  });

  test.each([1, 2, 3, 4])("in JSON within JSON, %d times", (times) => {
    let text = JSON.stringify({
      user: "bob",
      password: 'hunter2 "quoted" hunter2',
      headers: [["cookie", "a=hunter2"]],
    });
    for (let n = 0; n < times; n++) text = JSON.stringify({ n, inner: text, after: "shown" });
    const clean = redactor.text(text);
    expect(clean).not.toContain("hunter2");
    // No more than that is hidden: it is JSON still.
    let inner = JSON.parse(clean) as { inner: string; after: string };
    for (let n = 1; n < times; n++) inner = JSON.parse(inner.inner) as typeof inner;
    expect(inner.after).toBe("shown");
    expect(JSON.parse(inner.inner)).toEqual({ user: "bob", password: REDACTED, headers: [["cookie", REDACTED]] });
  });

  test("is redacted whatever comes before and after it", () => {
    const noise = fc.string({ maxLength: 40 }).filter((s) => !/["'`\\=:[\]{}%$\w.-]$/.test(s));
    fc.assert(
      fc.property(
        noise,
        fc.constantFrom("password", "api_key", "accessToken"),
        fc.constantFrom("=", ": ", " = "),
        (before, key, sep) => {
          expect(redactor.text(`${before} ${key}${sep}s3cr3tW0mbat tail`)).not.toContain("s3cr3tW0mbat");
        },
      ),
    );
  });

  test("redacting twice changes nothing more", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."pwd=:\"'\\{}[], token&?eyJ.4 1@/"), maxLength: 80 }),
        (text) => {
          const once = redactor.text(text);
          expect(redactor.text(once).length).toBeLessThanOrEqual(once.length + REDACTED.length);
        },
      ),
    );
  });

  // Not a timing test: quadratic work on these would take minutes and run into the test's time limit.
  test.each([
    ["=".repeat(1_000_000)],
    ["a:".repeat(500_000)],
    ["password=".repeat(100_000)],
    ['"password":"'.repeat(80_000)],
    ["secrets:{".repeat(100_000)],
    ["eyJ".repeat(300_000)],
    ["eyJaaaaaaaa-".repeat(80_000)],
    ["://a:".repeat(200_000)],
    ["4111 ".repeat(200_000)],
    ["4".repeat(1_000_000)],
    ["Bearer ".repeat(140_000)],
    ["-----BEGIN ".repeat(90_000)],
    ["a@".repeat(400_000)],
    ['\\"'.repeat(400_000)],
    ["[".repeat(1_000_000)],
    ['["'.repeat(400_000)],
    ['["cookie","'.repeat(90_000)],
    ['["cookie",['.repeat(90_000)],
    ['["cookie","a","b"],'.repeat(50_000)],
    ["\\".repeat(1_000_000)],
    [`password:${"\\".repeat(500_000)}"`],
    ['password:\\"\\\\\\"'.repeat(60_000)],
    [`password:\\"${'\\\\\\\\"'.repeat(190_000)}`],
    ["://a:@".repeat(160_000)],
    [`://a:${"@".repeat(900_000)}`],
    ["%3D".repeat(300_000)],
    ["%25".repeat(300_000)],
  ])("hostile text of a megabyte takes no longer than any other: %.12s…", (text) => {
    const strict = compileRedactor({ ...defaults, emails: true });
    expect(typeof strict.text(text)).toBe("string");
  });
});

describe("an item", () => {
  const secret = "s3cr3tW0mbat9917";

  test("keeps no secret of its request, logs, exceptions and diagnostics", () => {
    const item = fetchItem({
      event: {
        request: {
          url: `https://user:${secret}@shop.test/login/${secret}?token=${secret}&page=2`.replace(`/${secret}?`, "/x?"),
          method: "POST",
          headers: {
            Authorization: `Bearer ${secret}`,
            cookie: `session=${secret}`,
            "x-api-key": secret,
            referer: `https://shop.test/?access_token=${secret}`,
            "x-forwarded-authorization": secret,
          },
        },
        response: { status: 200 },
      },
      logs: [
        { timestamp: 1, level: "log", message: [`password=${secret}`] },
        { timestamp: 1, level: "log", message: ["user", { name: "kept", password: secret, deep: { apiKey: secret } }] },
        { timestamp: 1, level: "log", message: [{ credentials: { a: secret, b: [secret] } }] },
        {
          timestamp: 1,
          level: "log",
          message: [JSON.stringify({ access_token: secret, list: [{ password: secret }] })],
        },
        { timestamp: 1, level: "log", message: ["%o", { password: secret }] },
        { timestamp: 1, level: "log", message: [{ a: 1 }, { password: secret }] },
        { timestamp: 1, level: "log", message: [[{ password: secret }], ["Bearer", `Bearer ${secret}`]] },
        {
          timestamp: 1,
          level: "error",
          message: [`Error: token=${secret}`],
          errorInfo: [{ name: "Error", message: `token=${secret}`, stack: `Error: token=${secret}\n at x` }],
        },
      ],
      exceptions: [{ timestamp: 1, name: "Error", message: `client_secret=${secret}`, stack: `Error: pwd=${secret}` }],
      diagnosticsChannelEvents: [{ timestamp: 1, channel: "db", message: { secret, rows: [{ secret }], n: 1 } }],
    });
    const text = JSON.stringify(eventsOf(item));
    expect(text).not.toContain(secret);
    for (const kept of ["kept", "page=2", "shop.test"]) expect(text).toContain(kept);
  });

  test("keeps none in what it is called: names, versions, entrypoints, outcomes", () => {
    const hidden = `token=${secret}`;
    const item = logItem({ users: { [hidden]: 1 }, error: { name: hidden, stack: "at x" } });
    const events = eventsOf({
      ...item,
      entrypoint: hidden,
      outcome: hidden,
      executionModel: hidden,
      scriptVersion: { id: hidden, tag: hidden, message: hidden },
      exceptions: [{ timestamp: 1, name: hidden, message: "x" }],
      event: { request: { url: "https://a.test/", headers: { "user-agent": hidden } } },
    });
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  test("keeps no value of a list of headers, whose names stand beside them", () => {
    const headers = [
      ["cookie", `a=${secret}`],
      ["x-api-key", `it's ${secret}\\`],
      ["accept", "text/html"],
    ];
    const events = eventsOf({
      ...logItem(headers, { headers, deep: { list: [headers] } }),
      logs: [headers, "headers", JSON.stringify(headers), [{ headers }]].map((message) => ({
        timestamp: 1,
        level: "log",
        message: [message, { headers, set: new Set(headers) }],
      })),
    });
    expect(JSON.stringify(events)).not.toContain(secret);
    expect(JSON.stringify(events)).toContain("text/html");
  });

  test("has a method that is a short token, or another", () => {
    const methodOf = (method: unknown) =>
      eventsOf(fetchItem({ event: { request: { url: "https://a.test/", method } } }))[0]?.method;
    expect(["GET", "PROPFIND", "UPDATEREDIRECTREF", "M-SEARCH", "x!#$%&'*+.^_`|~9"].map(methodOf)).toEqual([
      "GET",
      "PROPFIND",
      "UPDATEREDIRECTREF",
      "M-SEARCH",
      "x!#$%&'*+.^_`|~9",
    ]);
    const others = [`password=${secret}`, "pwd:x", "GET /", "", "A".repeat(21), `Bearer ${secret}`, "ÄÖ", "G\nT"];
    for (const other of others) expect([other, methodOf(other)]).toEqual([other, other === "" ? "GET" : "_OTHER"]);
    const events = eventsOf(fetchItem({ event: { request: { method: `password=${secret}` } } }));
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  test("a card number sent as a number is hidden too", () => {
    const [, log] = eventsOf(logItem("paid", { card: 4111111111111111, total: 12 }));
    expect(log?.attributes).toEqual({ card: REDACTED, total: 12 });
  });
});
