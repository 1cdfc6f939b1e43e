/** Versions: upload, list, one of them. */
import { DEPLOYABLE_VERSIONS, NO_SUCH_VERSION } from "../../account/rules.ts";
import { registryOf } from "../../env.ts";
import type { Handler, Route } from "../api.ts";
import { answer, failure, noSuchScript, ok } from "../envelope.ts";
import { versionDetail, versionItem } from "../shapes.ts";
import { readUpload, takeVersion } from "../upload.ts";

const DEFAULT_PER_PAGE = 10;
const MAX_PER_PAGE = 100;

/**
 * `?deployable=true` leaves paging aside: all that can be deployed. A page has
 * each version whole: `wrangler versions secret list --latest-version` reads bindings there.
 */
const list: Handler = async ({ env, params, query }) => {
  const registry = registryOf(env);
  const name = params.script ?? "";
  if ((await registry.script(name)) === null) return noSuchScript();
  const all = await registry.versions(name);
  if (query.get("deployable") === "true") return ok({ items: all.slice(0, DEPLOYABLE_VERSIONS).map(versionItem) });
  const page = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const perPage = Math.min(MAX_PER_PAGE, Math.max(1, Number(query.get("per_page") ?? 0) || DEFAULT_PER_PAGE));
  const items = all.slice((page - 1) * perPage, page * perPage).map(versionDetail);
  const total = { total_count: all.length, total_pages: Math.ceil(all.length / perPage) };
  return ok({ items }, { result_info: { page, per_page: perPage, count: items.length, ...total } });
};

const one: Handler = async ({ env, params }) => {
  const registry = registryOf(env);
  const { script = "", id = "" } = params;
  if ((await registry.script(script)) === null) return noSuchScript();
  const version = await registry.version(script, id);
  if (version === null) {
    return failure({ status: 404, code: NO_SUCH_VERSION, message: "workers.api.error.version_not_found" });
  }
  return ok(versionDetail(version));
};

const upload: Handler = async ({ request, env, ctx, params, author, source }) => {
  const script = params.script ?? "";
  const read = await readUpload(request);
  if (!read.ok) return failure(read.refusal);
  if ((await registryOf(env).script(script)) === null) return noSuchScript();
  const by = { script, author, source, triggeredBy: "version_upload", mayMigrate: false, ctx };
  return answer(await takeVersion(env, read.value, by), (version) => ({
    ...versionDetail(version),
    metadata: { ...(versionItem(version) as { metadata: object }).metadata, has_preview: false },
  }));
};

export const versions: Route[] = [
  ["GET", "/workers/scripts/:script/versions", list],
  ["POST", "/workers/scripts/:script/versions", upload],
  ["GET", "/workers/scripts/:script/versions/:id", one],
];
