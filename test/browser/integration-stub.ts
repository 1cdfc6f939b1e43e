/** The API of integrations as a few variables, for the tests of their pages: it remembers what was changed, and what it was sent. */
import type { Browser } from "playwright-core";
import type { DestinationRow, TestAnswer } from "../../workers/api/contract.ts";
import { openView, type View, type ViewOptions } from "../support/browser.ts";
import { CATALOG, connections, destination, letter, preview, resource, status, TOML } from "./integration-fixtures.ts";

export interface Stub {
  destinations?: DestinationRow[];
  noResources?: boolean;
  noAccount?: boolean;
  scope?: string;
  tested?: TestAnswer;
  refused?: { message: string; problems: Record<string, string> };
  failing?: boolean;
}
export interface Sent {
  method: string;
  path: string;
  body: unknown;
}
interface Stubbed extends View {
  sent: Sent[];
  rows: DestinationRow[];
}

/** A page whose integrations are made up; all else is the real platform. */
export async function openStubbed(browser: Browser, url: string, stub: Stub, options: ViewOptions): Promise<Stubbed> {
  const view = await openView(browser, url, options);
  const now = Date.now();
  const rows = stub.destinations ?? [];
  const sent: Sent[] = [];
  let letters = [1, 2, 3].map((id) => letter(now, { id, title: `cart loaded for user ${id}` }));
  let workers = connections(now).connections;

  const answer = (method: string, path: string, body: unknown): unknown => {
    const [kind, id, verb, one] = path.split("/");
    if (path === "session") return { actor: "somebody", scope: stub.scope ?? "admin" };
    if (kind === "integrations") return { integrations: CATALOG };
    if (path === "destinations/test") return stub.tested ?? { ok: true, message: "Sentry took an event.", ms: 184 };
    if (path === "destinations/preview") {
      const { rules } = body as { rules: DestinationRow["rules"] };
      return preview(now, Math.round(43_000 * rules.otherwise));
    }
    if (path === "resources/options") return { options: ["orders", "users"] };
    if (kind === "resources" && id === undefined)
      return method === "GET" ? { resources: stub.noResources ? [] : [resource(now)] } : { resource: resource(now) };
    if (kind === "resources") return { resource: resource(now, { rotatedAt: now }) };
    if (kind === "connections" && id !== undefined) {
      workers = workers.map((c) =>
        c.script === id && method !== "GET"
          ? { ...c, connected: method === "PUT", byTailrace: method === "PUT", connectedAt: now }
          : c,
      );
      return { connection: workers.find((c) => c.script === id), toml: TOML };
    }
    if (kind === "connections")
      return {
        ...connections(now),
        connections: workers,
        ...(stub.noAccount ? { account: { connected: false, accountId: null } } : {}),
      };
    if (path === "status")
      return stub.failing
        ? status(now, { status: "failing", checks: [{ name: "D1", ok: false, message: "does not answer", ms: 1000 }] })
        : status(now);
    if (path === "destinations" && method === "GET") return { destinations: rows };
    if (path === "destinations") {
      const made = destination(now, { id: "d-new", ...(body as Partial<DestinationRow>) });
      rows.push(made);
      return { destination: made };
    }
    if (verb === "dead-letters") {
      if (one === "replay" || one === "discard") {
        const { ids } = body as { ids: number[] | "all" };
        const gone = letters.filter((l) => ids === "all" || ids.includes(l.id));
        letters = letters.filter((l) => !gone.includes(l));
        return { changed: gone.length, refused: 0 };
      }
      if (one !== undefined) {
        if (!letters.some((l) => l.id === Number(one))) return undefined;
        const text = (body as { item?: string } | null)?.item ?? '{"user.birthday":"1970-01-01"}';
        return { deadLetter: { ...letters.find((l) => l.id === Number(one)), item: text } };
      }
      return { deadLetters: letters, total: letters.length };
    }
    const at = rows.findIndex((r) => r.id === id);
    const row = rows[at];
    if (row === undefined) return undefined;
    if (verb === "pause" || verb === "resume") {
      const state = verb === "pause" ? ("paused" as const) : ("enabled" as const);
      const condition = verb === "pause" ? ("paused" as const) : ("ok" as const);
      rows[at] = { ...row, state, health: { ...row.health, condition } };
    }
    if (method === "PUT") rows[at] = { ...row, ...(body as Partial<DestinationRow>) };
    if (method === "DELETE") rows.splice(at, 1);
    return { destination: rows[at] ?? row };
  };

  await view.page.route(
    /\/api\/v1\/(integrations|destinations|resources|connections|status|session)/,
    async (route) => {
      const request = route.request();
      const path = new URL(request.url()).pathname.replace("/api/v1/", "");
      const body: unknown = JSON.parse(request.postData() ?? "null");
      const method = request.method();
      if (method !== "GET" && !path.endsWith("/preview")) sent.push({ method, path, body });
      if (method === "POST" && path === "destinations" && stub.refused !== undefined) {
        const { message, problems } = stub.refused;
        return route.fulfill({ status: 422, json: { error: { code: "bad_fields", message, details: { problems } } } });
      }
      const json = answer(method, path, body);
      if (json === undefined)
        return route.fulfill({ status: 404, json: { error: { code: "not_found", message: "gone" } } });
      return route.fulfill(method === "DELETE" && !path.startsWith("connections") ? { status: 204 } : { json });
    },
  );
  return { ...view, sent, rows };
}
