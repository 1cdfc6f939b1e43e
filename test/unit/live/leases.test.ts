/** What Ingesters are told of a hub's viewers while the first one is just coming. */
import { describe, expect, it } from "vitest";
import { LEASE_MS } from "../../../workers/live/contract.ts";
import { Leases } from "../../../workers/live/leases.ts";
import { LINGER_MS } from "../../../workers/live/limits.ts";

/** D1 does not answer, and the one shard that is told says so only when it is let. */
function world() {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const env = {
    DB: {} as D1Database,
    INGESTER: {
      getByName: () => ({
        watch: async () => {
          await held;
          return { id: 0, through: 0 };
        },
      }),
    } as unknown as Env["INGESTER"],
  };
  return { env, letGo };
}

describe("a push that comes while Ingesters are being told of the first viewer", () => {
  it("does not end or shorten the lease that its shard was given a moment ago", async () => {
    const { env, letGo } = world();
    const leases = new Leases({ env, name: "tail shop", script: "shop", began: () => {} }, 0);
    const now = 2 * LINGER_MS;
    expect(leases.answer("shop", false, false, now)).toEqual({ until: 0, items: false });
    const told = leases.ensure(true, now);
    expect(leases.answer("shop", false, false, now)).toEqual({ until: now + LEASE_MS, items: true });
    letGo();
    await told;
    expect(leases.answer("shop", true, true, now)).toEqual({ until: now + LEASE_MS, items: true });
  });

  it("nobody came after all: the lease ends", async () => {
    const { env, letGo } = world();
    const leases = new Leases({ env, name: "tail shop", script: "shop", began: () => {} }, 0);
    const now = 2 * LINGER_MS;
    letGo();
    await leases.ensure(false, now);
    expect(leases.answer("shop", false, false, now)).toEqual({ until: 0, items: false });
  });
});
