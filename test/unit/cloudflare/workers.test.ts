/** The account's Workers over HTTP: what is asked, what is believed, and that a secret does not come back in a message. */
import { expect, it } from "vitest";
import { createWorkersClient } from "../../../workers/cloudflare/workers.ts";

const TOKEN = "a-token-that-must-not-be-seen";
const SECRET = "a-secret-that-must-not-be-seen";
const asked: { method: string; path: string; body: unknown }[] = [];

/** @param answer status and result, or errors */
function client(answer: { status?: number; result?: unknown; said?: string }) {
  asked.length = 0;
  const fetch = async (input: RequestInfo | URL, init: RequestInit = {}) => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    asked.push({ method: init.method ?? "GET", path: new URL(String(input)).pathname, body });
    const errors = answer.said === undefined ? [] : [{ code: 10_021, message: answer.said }];
    return Response.json(
      { success: answer.said === undefined, errors, messages: [], result: answer.result ?? null },
      { status: answer.status ?? 200 },
    );
  };
  const account = { baseUrl: "https://api.example/client/v4", accountId: "acc", token: TOKEN };
  return createWorkersClient({ ...account, fetch: fetch as typeof globalThis.fetch, wait: async () => {} });
}

it("lists Workers, and says where the list does not say where their tails lead", async () => {
  const result = [{ id: "a", tail_consumers: [{ service: "x" }] }, { id: "b", tail_consumers: null }, { id: "c" }, {}];
  expect(await client({ result }).workers()).toMatchObject({
    ok: true,
    value: [
      { name: "a", tailConsumers: [{ service: "x" }] },
      { name: "b", tailConsumers: null },
      { name: "c", tailConsumers: null },
    ],
  });
});

it("reads tail consumers whole, and builds nothing on a list that it cannot read", async () => {
  const entry = { service: "x", environment: "staging", new_field: [1] };
  expect(await client({ result: { tail_consumers: [entry] } }).tailConsumers("a")).toMatchObject({ value: [entry] });
  expect(await client({ result: { tail_consumers: null } }).tailConsumers("a")).toMatchObject({ value: [] });
  expect(await client({ result: { tail_consumers: [{ name: "?" }] } }).tailConsumers("a")).toMatchObject({ ok: false });
});

it("changes the one field, once, however the answer is", async () => {
  const busy = client({ status: 500, said: "busy" });
  expect(await busy.setTailConsumers("a", [{ service: "x" }])).toMatchObject({ ok: false, kind: "unavailable" });
  expect(asked).toEqual([
    {
      method: "PATCH",
      path: "/client/v4/accounts/acc/workers/scripts/a/script-settings",
      body: { tail_consumers: [{ service: "x" }] },
    },
  ]);
});

it("writes, lists and deletes secrets, and repeats none", async () => {
  const refusing = client({ status: 400, said: `${"x".repeat(280)} ${SECRET} is no good, nor is ${TOKEN}` });
  const put = await refusing.putSecret("a", "KEY", SECRET);
  expect(asked[0]?.body).toEqual({ name: "KEY", text: SECRET, type: "secret_text" });
  expect(put).toMatchObject({ ok: false, kind: "refused" });
  // Nor half of it, where the message is cut.
  expect(JSON.stringify(put)).not.toMatch(/a-secret|a-token/);
  expect(await client({ result: [{ name: "KEY" }, {}] }).secretNames("a")).toMatchObject({ value: ["KEY"] });
  await client({}).deleteSecret("a", "KEY");
  expect(asked[0]).toMatchObject({ method: "DELETE", path: "/client/v4/accounts/acc/workers/scripts/a/secrets/KEY" });
});
