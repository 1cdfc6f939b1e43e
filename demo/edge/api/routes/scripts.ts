/** Workers as such: the first upload, their settings, their addresses. */
import { NO_SUCH_SCRIPT } from "../../account/rules.ts";
import { isObserved, refusedConsumer } from "../../account/tails.ts";
import type { ScriptRecord } from "../../account/types.ts";
import { registryOf } from "../../env.ts";
import { forgetLive } from "../../traffic/live.ts";
import type { Handler, Route } from "../api.ts";
import { failure, noSuchScript, ok } from "../envelope.ts";
import { listedOf, scriptSettingsOf, serviceOf, settingsOf } from "../shapes.ts";
import { type Metadata, readUpload, takeVersion } from "../upload.ts";

const NAME = /^[a-z0-9_][a-z0-9-_]{0,62}$/;
const SUBDOMAIN = "local";

/** Uploads and deploys at once. */
const put: Handler = async ({ request, env, ctx, params, author, source }) => {
  const script = params.script ?? "";
  const registry = registryOf(env);
  const read = await readUpload(request);
  if (!read.ok) return failure(read.refusal);
  if (!NAME.test(script)) return failure({ status: 400, code: 10016, message: `Invalid Worker name "${script}".` });
  const isNew = (await registry.script(script)) === null;
  const taken = await takeVersion(env, read.value, {
    script,
    author,
    source,
    triggeredBy: "upload",
    mayMigrate: true,
    ctx,
  });
  if (!taken.ok) return failure(taken.refusal);
  if (isNew) await registry.ensureScript(script);
  const { metadata } = read.value;
  // Such an upload says all there is: where tails lead, too.
  const tail_consumers = metadata.tail_consumers ?? [];
  await registry.changeScript(script, settingsIn({ ...metadata, tail_consumers }));
  const version = taken.value;
  const asked = { strategy: "percentage", versions: [{ version_id: version.id, percentage: 100 }] };
  const says = { author, source, triggeredBy: "deployment", message: version.message };
  const deployed = await registry.deploy(script, { ...says, asked, force: true });
  if (!deployed.ok) return failure(deployed.refusal);
  forgetLive();
  const { etag, handlers, startupMs } = version;
  const known = await registry.script(script);
  return ok({ id: script, tag: known?.tag, etag, handlers, deployment_id: version.id, startup_time_ms: startupMs });
};

/** Only what is said: the rest stays. */
function settingsIn(
  given: Pick<Metadata, "tail_consumers" | "tags" | "logpush" | "observability">,
): Partial<ScriptRecord> {
  const { tail_consumers, tags, logpush, observability } = given;
  return {
    ...(tail_consumers === undefined ? {} : { tailConsumers: tail_consumers ?? [] }),
    ...(tags === undefined ? {} : { tags: tags ?? [] }),
    ...(logpush === undefined ? {} : { logpush }),
    ...(observability === undefined ? {} : { observability }),
  };
}

const list: Handler = async ({ env }) => {
  const all = await registryOf(env).scripts();
  return ok(all.map(listedOf));
};

const remove: Handler = async ({ env, params }) => {
  const script = params.script ?? "";
  if ((await registryOf(env).script(script)) === null) return noSuchScript();
  if (env.SHOP.scripts[script] !== undefined) {
    return failure({ status: 400, code: 10064, message: `Local edge: ${script} is the demo's own and stays.` });
  }
  await registryOf(env).removeScript(script);
  forgetLive();
  return ok({ id: script });
};

const service: Handler = async ({ env, params }) => {
  const registry = registryOf(env);
  const script = await registry.script(params.script ?? "");
  if (script === null) {
    return failure({ status: 404, code: 10090, message: "workers.api.error.service_not_found" });
  }
  return ok(serviceOf(script, (await registry.versions(script.name))[0]));
};

const settings: Handler = async ({ env, params }) => {
  const registry = registryOf(env);
  const script = await registry.script(params.script ?? "");
  if (script === null) return noSuchScript();
  return ok(settingsOf(script, (await registry.versions(script.name))[0]));
};

const scriptSettings: Handler = async ({ env, params }) => {
  const script = await registryOf(env).script(params.script ?? "");
  return script === null ? noSuchScript() : ok(scriptSettingsOf(script));
};

const changeSettings: Handler = async ({ request, env, params }) => {
  const asked = await request.json<Metadata>().catch(() => null);
  if (asked === null) return failure({ status: 400, code: 10026, message: "Could not parse the settings." });
  const script = params.script ?? "";
  const registry = registryOf(env);
  const consumer = refusedConsumer(asked.tail_consumers, await registry.scripts());
  if (consumer !== undefined) return failure(consumer);
  const change = settingsIn(asked);
  const { fixed, tailConsumers = [] } = env.SHOP.scripts[script] ?? {};
  const wanted = isObserved(change.tailConsumers ?? tailConsumers);
  // The launcher has bound its tail for good.
  if (fixed !== undefined && wanted !== isObserved(tailConsumers)) {
    const why = `the tail of ${script} leads where the launcher put it`;
    return failure({ status: 400, code: 10026, message: `Local edge: ${why} (${fixed}).` });
  }
  const changed = await registry.changeScript(script, change);
  if (changed === null) return noSuchScript();
  forgetLive();
  return ok(scriptSettingsOf(changed));
};

/** The newer path of the API for a Worker; wrangler wants its addresses from it. */
const worker: Handler = async ({ env, params }) => {
  const script = await registryOf(env).script(params.script ?? "");
  if (script === null) return failure({ status: 404, code: NO_SUCH_SCRIPT, message: "Worker not found." });
  const { name, tag, tags, subdomain } = script;
  return ok({ id: tag, name, tags, subdomain });
};

const subdomain: Handler = async ({ request, env, params }) => {
  const registry = registryOf(env);
  const name = params.script ?? "";
  const asked = request.method === "POST" ? await request.json<Partial<ScriptRecord["subdomain"]>>() : {};
  const script = await registry.script(name);
  if (script === null) return noSuchScript();
  const { enabled, previews_enabled } = { ...script.subdomain, ...asked };
  const changed = { enabled, previews_enabled };
  await registry.changeScript(name, { subdomain: changed });
  return ok(changed);
};

export const scripts: Route[] = [
  ["GET", "/workers/scripts", list],
  ["PUT", "/workers/scripts/:script", put],
  ["DELETE", "/workers/scripts/:script", remove],
  ["DELETE", "/workers/services/:script", remove],
  ["GET", "/workers/services/:script", service],
  ["GET", "/workers/workers/:script", worker],
  ["GET", "/workers/scripts/:script/settings", settings],
  ["GET", "/workers/scripts/:script/script-settings", scriptSettings],
  ["PATCH", "/workers/scripts/:script/script-settings", changeSettings],
  ["GET", "/workers/scripts/:script/subdomain", subdomain],
  ["POST", "/workers/scripts/:script/subdomain", subdomain],
  ["GET", "/workers/subdomain", async () => ok({ subdomain: SUBDOMAIN })],
  ["GET", "/workers/account-settings", async () => ok({ default_usage_model: "standard", green_compute: false })],
];
