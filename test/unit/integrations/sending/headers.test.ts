import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readHeaders } from "../../../../workers/integrations/sending/headers.ts";

describe("headers that somebody typed", () => {
  for (const [text, headers] of [
    ["", {}],
    ["Authorization: Bearer abc", { Authorization: "Bearer abc" }],
    ["a: 1\nb: 2\r\n\nc: 3", { a: "1", b: "2", c: "3" }],
    ["a: 1, b: 2", { a: "1", b: "2" }],
    ["a: 1, 2, b: 3", { a: "1, 2", b: "3" }],
    ["api-key=abc,x-org=7", { "api-key": "abc", "x-org": "7" }],
    ["Authorization=Basic%20eDp5", { Authorization: "Basic eDp5" }],
    ["a: x=y%20z", { a: "x=y%20z" }],
    ["a=100%", { a: "100%" }],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => expect(readHeaders(text)).toEqual({ ok: true, headers }));
  }
  for (const text of ["Bearer abc", "Content-Type: text/html", "a: ☃", "a:\u0007", "a b: c"]) {
    it(`does not take ${JSON.stringify(text)}`, () => expect(readHeaders(text)).toMatchObject({ ok: false }));
  }
  it("never gives a header that cannot be sent", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const read = readHeaders(text);
        if (read.ok) new Headers(read.headers);
      }),
    );
  });
});
