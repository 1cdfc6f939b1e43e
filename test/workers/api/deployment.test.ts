/** What is live at Cloudflare and what could be, as the dialog that starts a rollout needs it. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readDeployment } from "../../../workers/api/rollouts/deployment.ts";
import type { ApiFailure, CloudflareClient, Version, VersionDetail } from "../../../workers/cloudflare/contract.ts";
import { ADMIN, call, errorCode } from "./client.ts";

const version = (id: string, number: number, tag = "", message = ""): Version => ({
  id,
  number,
  tag,
  message,
  createdAt: number * 1_000,
  author: "someone",
  triggeredBy: "upload",
});
const ok = <T>(value: T) => Promise.resolve({ ok: true as const, value, attempts: 1 });
const detail = (known: Version): VersionDetail => ({
  ...known,
  migrationTag: null,
  compatibilityDate: null,
  bindings: [],
});

function clientWith(more: Partial<CloudflareClient>): CloudflareClient {
  const unasked = () => Promise.reject(new Error("nobody should ask this"));
  return {
    deployments: () => ok([]),
    versions: () => ok([version("v3", 3, "3.0", "third"), version("v2", 2, "2.0")]),
    version: unasked,
    deploy: unasked,
    tailConsumers: unasked,
    verify: unasked,
    ...more,
  } as CloudflareClient;
}

const live = (...versions: { version: string; percent: number }[]) => ({
  deployments: () =>
    ok([
      { id: "d2", createdAt: 7, author: "someone", message: "by hand", triggeredBy: "deployment", versions },
      { id: "d1", createdAt: 6, author: "someone", message: "", triggeredBy: "upload", versions: [] },
    ]),
});

describe("the live deployment", () => {
  it("is the first, its versions with tag and message, the newest last", async () => {
    const client = clientWith(live({ version: "v3", percent: 10 }, { version: "v2", percent: 90 }));
    expect(await readDeployment(client, "shop")).toMatchObject({
      ok: true,
      value: {
        live: {
          id: "d2",
          message: "by hand",
          versions: [
            { id: "v2", tag: "2.0", message: "", percent: 90 },
            { id: "v3", tag: "3.0", message: "third", percent: 10 },
          ],
        },
        versions: [
          { id: "v3", tag: "3.0", message: "third", number: 3, createdAt: 3_000 },
          { id: "v2", tag: "2.0", number: 2 },
        ],
      },
    });
  });

  it("names a version that is none of the newest hundred, if Cloudflare still does", async () => {
    const old = clientWith({
      ...live({ version: "v0", percent: 100 }),
      version: (_, id) => ok(detail(version(id, 0, "old", "still here"))),
    });
    const named = await readDeployment(old, "shop");
    expect(named).toMatchObject({ value: { live: { versions: [{ id: "v0", tag: "old", percent: 100 }] } } });
    const gone: ApiFailure = {
      ok: false,
      kind: "not_found",
      status: 404,
      code: null,
      message: "gone",
      retryAfterMs: null,
      attempts: 1,
    };
    const unknown = clientWith({ ...live({ version: "v0", percent: 100 }), version: async () => gone });
    expect(await readDeployment(unknown, "shop")).toMatchObject({
      value: { live: { versions: [{ id: "v0", tag: "", message: "", percent: 100 }] } },
    });
    const away = clientWith({ deployments: async () => gone });
    expect(await readDeployment(away, "shop")).toEqual(gone);
  });

  it("is null of a Worker that was uploaded and never deployed", async () => {
    expect(await readDeployment(clientWith({}), "shop")).toMatchObject({ value: { live: null } });
  });
});

describe("without a connected account", () => {
  it("the answer says what to do", async () => {
    await env.DB.prepare("delete from cloudflare_accounts").run();
    const response = await call("/api/v1/workers/shop/deployment", { token: ADMIN });
    const copy = response.clone();
    expect([response.status, await errorCode(response)]).toEqual([409, "not_connected"]);
    expect(await copy.text()).toContain("Settings");
  });
});
