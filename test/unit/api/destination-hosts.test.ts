/** What is shown of an address that is kept secret. */
import { expect, test } from "vitest";
import { hostOf } from "../../../workers/api/destinations/hosts.ts";

test.each([
  ["https://hooks.example.com/services/T0/B0/token?key=abc", "hooks.example.com"],
  ["http://127.0.0.1:8080/hook", "127.0.0.1:8080"],
  ["http://[::1]:8080/hook", "[::1]:8080"],
  ["https://public-key@o4507.ingest.us.sentry.io/42", "o4507.ingest.us.sentry.io"],
  // Whoever knows such a name may send there.
  ["https://eo1x2y3z4a5b6c7.m.pipedream.net/", "….m.pipedream.net"],
  ["authorization: Bearer abc", undefined],
  ["whsec_abc", undefined],
  ["mailto:somebody@example.com", undefined],
])("of %s: %s", (secret, host) => {
  expect(hostOf(secret)).toBe(host);
});
