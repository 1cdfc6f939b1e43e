/** Receivers that are none, or misbehave on the wire: nothing is lost by them, nothing thrown. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { createRequest } from "../../../../workers/delivery/egress/request.ts";
import sentry from "../../../../workers/integrations/catalog/sentry.ts";
import { type Behaviour, HostileReceiver } from "../../../support/hostile-receiver.ts";
import { event, fakeIo, itemOf, newDsn } from "../../../support/sentry.ts";

let receiver: HostileReceiver;
beforeAll(async () => {
  receiver = await HostileReceiver.start();
});
afterAll(() => receiver.stop());

it.each<[Behaviour, string]>([
  [{ kind: "truncate" }, "unreachable"],
  [{ kind: "redirect", to: "http://169.254.169.254/latest/meta-data" }, "misplaced"],
  [{ kind: "lie" }, "lying"],
  [{ kind: "close" }, "unreachable"],
  [{ kind: "reset" }, "unreachable"],
  [{ kind: "not-http" }, "unreachable"],
  [{ kind: "echo", status: 403 }, "unauthorized"],
])("%j: tried again, with a reason that holds no key", async (behaviour, kind) => {
  const dsn = newDsn(receiver.url);
  receiver.behave(behaviour);
  const io = fakeIo([], { request: createRequest({ allowLoopback: true, secrets: [dsn] }), now: Date.now });
  const items = [1, 2, 3].map((n) => itemOf("errors", event("exception", n)));
  const { outcomes } = await sentry.send({ dsn }, [...items, itemOf("logs", event("log", 9))], io);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ again: { kind } });
  expect(JSON.stringify(outcomes)).not.toContain("abcdef0123456789");
});
