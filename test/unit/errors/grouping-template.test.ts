import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { messageTemplate } from "../../../workers/errors/grouping/template.ts";

describe("what varies is taken out", () => {
  test.each([
    ["User 42 not found", "User 8d9f2c1e-0a44-4a7c-9a83-2f5a9b6e1c77 not found", "User * not found"],
    ["User 'alice' not found", 'User "bob smith" not found', "User * not found"],
    ["User `a` and “b”", "User `c` and «d»", "User * and *"],
    ["id deadbeef12", "id 0xdeadbeef", "id *"],
    ["connect ECONNREFUSED 10.0.0.1:8080", "connect ECONNREFUSED ::1:8080", "connect ECONNREFUSED *"],
    ["no route to 2001:db8::ff00:42:8329", "no route to fe80::1", "no route to *"],
    ["connect ECONNREFUSED 10.0.0.1:80", "connect ECONNREFUSED [2001:db8::1]:80", "connect ECONNREFUSED *"],
    ["no route to [fe80::1]", "no route to [::ffff:10.0.0.1]:8080", "no route to *"],
    ["at [10:20:30] it broke", "at [11:21:31] it broke", "at [*] it broke"],
    ["GET http://[2001:db8::1]:80/x failed", "GET https://a.test/v1?args[]=1&args[]=2&b[key]=x failed", "GET * failed"],
    ["(see https://a.test/v1?args[]=1)", "(see https://a.test/v2)", "(see *)"],
    ["[https://a.test/v1] failed", "[https://a.test/v2?b[c]=1] failed", "[*] failed"],
    ["cannot reach db-1.internal:5432", "cannot reach 10.1.2.3:5432", "cannot reach *"],
    ["mail to bob.smith+x@shop.test bounced", "mail to a@example.com bounced", "mail to * bounced"],
    ["GET https://a.test/v1/x?y=1 failed", "GET http://localhost:8787/ failed", "GET * failed"],
    ["/products/17 is gone", "/users/9/cart is gone", "* is gone"],
    ["no such file C:\\Users\\a\\x.txt today", "no such file /tmp/a.txt today", "no such file * today"],
    [
      "since 2026-11-21T01:02:03.004Z",
      "since Sat Nov 21 2026 01:02:03 GMT+0100 (Central European Standard Time)",
      "since *",
    ],
    ["until Mon, 21 Nov 2026 10:00:00 GMT", "until 10:30 PM", "until *"],
    ["took 12.5ms", "took 1h 30m", "took *"],
    ["took 5 seconds", "took 1 second", "took *"],
    ["2 items left", "1 item left", "* item left"],
    ["ids 1, 2, 3", "ids 7", "ids *"],
    ["ids [1,2,3] and more", "ids [4] and more", "ids [*] and more"],
    ["No such customer: 'cus_9s6XKzkNRiz8i3'", "No such customer: 'cus_1'", "No such customer: *"],
    ["customer cus_9s6XKzkNRiz8i3", "customer cus_NffrF1UfNV2Hib", "customer *"],
    ["order o-17", "order 22", "order *"],
    ["nanoid V1StGXR8_Z5jdHi6B-myT", "nanoid 4f90d13a42", "nanoid *"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.SflKxwRJ expired", "token 9a+b/c== expired", "token * expired"],
    ['got {"a":{"b":"}"}} back', 'got {"c":[1,2]} back', "got * back"],
    ["opts { a: 1, b: 'x' } are bad", "opts {} are bad", "opts * are bad"],
    ["user=alice amount=12.50 ip=::1", "user=bob amount=7 ip=10.0.0.1", "user=* amount=* ip=*"],
    ["saved -5 of $12.50", "saved +3 of 85%", "saved * of *"],
    ["\u001b[31mred\u001b[0m 1", "red 2", "red *"],
    ["key user42", "key user7", "key user*"],
  ])("%s = %s", (one, other, template) => {
    expect([messageTemplate(one), messageTemplate(other)]).toEqual([template, template]);
  });

  test("an answer that was cut off, and a page of HTML", () => {
    expect(messageTemplate('cut {"a":"b')).toBe("cut *");
    expect(messageTemplate("got <!DOCTYPE html><p>1</p>")).toBe("got *");
  });
});

describe("what says what went wrong is kept", () => {
  test.each([
    "D1_ERROR: no such column: foo: SQLITE_ERROR",
    "UNIQUE constraint failed: users.email",
    "ERR_HTTP_HEADERS_SENT",
    "can't do it, don't",
    "Name José Ñandú",
    "Cannot read properties of undefined (reading 'price')",
    'The "path" argument must be of type string.',
    'duplicate key value violates unique constraint "users_email_key"',
    "getServerSideProps of ShoppingCartController failed",
  ])("%s", (message) => {
    // Names hold digits too: they are taken out where they stand.
    expect(messageTemplate(message)).toBe(message.replace("D1", "D*"));
  });

  test.each([
    ["Request failed with status code 404", "Request failed with status code 500"],
    ["upstream answered 503 Service Unavailable", "upstream answered 502 Bad Gateway"],
    ["no such column: foo", "no such column: bar"],
    ["Cannot read properties of undefined (reading 'a')", "Cannot read properties of undefined (reading 'b')"],
    ["price is missing", "name is missing"],
  ])("%s ≠ %s", (one, other) => {
    expect(messageTemplate(one)).not.toBe(messageTemplate(other));
  });

  test("a number is a status only where something says so", () => {
    expect(messageTemplate("took 500 ms")).toBe(messageTemplate("took 7 ms"));
    expect(messageTemplate("code 1042")).toBe(messageTemplate("code 17"));
  });
});

describe("what the engine says of data and of minified code is one", () => {
  test("JSON that is none", () => {
    const messages = ["{", "{a}", "", "[1,", "<html>", '{"a":1}}', '"\n"', "-", '{"a" 1}', "tru"].map((text) => {
      try {
        JSON.parse(text);
        throw new Error("BUG: it is JSON");
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages.map(messageTemplate)).size).toBe(1);
  });

  test.each([
    ["e.map is not a function", "items.map is not a function"],
    ["(intermediate value).map is not a function", "t.map is not a function"],
    ["e is not iterable", "t is not iterable"],
    ["Cannot read properties of null (reading 'a')", "Cannot read properties of undefined (reading 'a')"],
    ["Invalid regular expression: /(/: Unterminated group", "Invalid regular expression: /(a|b/: Unterminated group"],
    ["()=>e could not be cloned.", "() => name could not be cloned."],
    ["Cannot convert 1x to a BigInt", "Cannot convert seven to a BigInt"],
    ["Cannot access 'e' before initialization", "Cannot access 'cart' before initialization"],
  ])("%s = %s", (one, other) => {
    expect(messageTemplate(one)).toBe(messageTemplate(other));
  });
});

describe("hostile messages", () => {
  const MAX = 330;
  test.each([
    "'",
    "\"a'",
    "{ a: ",
    '{"',
    "a@",
    "a@b ",
    "a.",
    "1:",
    "::",
    "a:",
    "/",
    "`'\"“‘«",
    "JSON ",
    " is not ",
    "a",
    "1",
    "<html",
    "=a",
    "\u001b[",
    "Mon ",
    "[{",
    "\ud800",
    "x-1-",
  ])("of %j, a megabyte long, are read in part and give little", (piece) => {
    expect(messageTemplate(piece.repeat((1 << 20) / piece.length)).length).toBeLessThanOrEqual(MAX);
  });

  test("of any kind never throw", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400, unit: "binary" }), (text) => {
        expect(messageTemplate(text).length).toBeLessThanOrEqual(MAX);
      }),
      { numRuns: 500 },
    );
  });

  test("a number's value, or an id's, never shows", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.uuid(),
        fc.uuid(),
        fc.ipV4(),
        fc.ipV6().filter((ip) => ip !== "::"),
        (a, b, c, d, e, f) => {
          const message = (n: number, id: string, ip: string) => `order ${n} of user ${id} from ${ip} failed`;
          expect(messageTemplate(message(a, c, e))).toBe(messageTemplate(message(b, d, e)));
          expect(messageTemplate(message(a, c, e))).toBe(messageTemplate(message(a, c, f)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
