/** Secrets: each change is a new version with the newest one's code; its value never comes out again. */
import { NO_SUCH_VERSION } from "../../account/rules.ts";
import type { Binding, VersionRecord } from "../../account/types.ts";
import { registryOf } from "../../env.ts";
import { forgetLive } from "../../traffic/live.ts";
import type { Call, Handler, Route } from "../api.ts";
import { failure, noSuchScript, ok } from "../envelope.ts";
import { versionDetail } from "../shapes.ts";

const NOT_DEPLOYED = 10215;
const NAME_TAKEN = 10053;
const NO_SUCH_SECRET = 10056;

const list: Handler = async ({ env, params }) => {
  const registry = registryOf(env);
  const name = params.script ?? "";
  if ((await registry.script(name)) === null) return noSuchScript();
  return ok(secretsOf((await registry.versions(name))[0]).map(({ name, type }) => ({ name, type })));
};

const put: Handler = async (call) => {
  const asked = await call.request.json<{ name?: string; text?: string }>().catch(() => null);
  const { name, text } = asked ?? {};
  if (typeof name !== "string" || typeof text !== "string") {
    return failure({ status: 400, code: 10026, message: "A secret has a name and a text." });
  }
  return change(call, { [name]: text }, () => ({ name, type: "secret_text" }));
};

const remove: Handler = async (call) => {
  const name = call.params.name ?? "";
  const latest = (await registryOf(call.env).versions(call.params.script ?? ""))[0];
  if (!secretsOf(latest).some((secret) => secret.name === name)) {
    return failure({ status: 404, code: NO_SUCH_SECRET, message: `There is no secret named ${name}.` });
  }
  return change(call, { [name]: null }, () => null);
};

/** `wrangler secret bulk`: several at once are one version. */
const patch: Handler = async (call) => {
  const asked = await call.request.json<{ secrets?: Asked }>().catch(() => null);
  const secrets = textsOf(asked?.secrets);
  return change(call, secrets, () => Object.keys(secrets).map((name) => ({ name, type: "secret_text" })));
};

type Asked = Record<string, { text?: string } | null>;

const textsOf = (asked: Asked = {}): Secrets =>
  Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value?.text ?? null]));

/** Deploys what comes of it: only if the newest version is what everyone has. */
async function change(call: Call, secrets: Secrets, shape: () => unknown): Promise<Response> {
  const { env, params, author, source } = call;
  const registry = registryOf(env);
  const script = params.script ?? "";
  if ((await registry.script(script)) === null) return noSuchScript();
  const [versions, deployments] = await Promise.all([registry.versions(script), registry.deployments(script, 1)]);
  const [latest] = versions;
  const [live] = deployments;
  if (latest === undefined || live?.versions.length !== 1 || live.versions[0]?.version_id !== latest.id) {
    const message = "Secret edit failed. The latest version of your Worker isn't currently deployed.";
    return failure({ status: 400, code: NOT_DEPLOYED, message });
  }
  const names = Object.keys(secrets).join(", ");
  const made = await derive(call, latest, secrets, { tag: "", message: `Changed secret ${names}` });
  if (made instanceof Response) return made;
  const asked = { strategy: "percentage", versions: [{ version_id: made.id, percentage: 100 }] };
  const says = { author, source, triggeredBy: "secret", message: made.message };
  const deployed = await registry.deploy(script, { ...says, asked, force: true });
  if (!deployed.ok) return failure(deployed.refusal);
  forgetLive();
  return ok(shape());
}

/** `wrangler versions secret put`: a version that is not deployed. */
const patchLatest: Handler = async (call) => {
  interface Patch {
    env?: Asked;
    annotations?: Record<string, string>;
  }
  const asked = await call.request.json<Patch>().catch(() => ({}) as Patch);
  const [latest] = await registryOf(call.env).versions(call.params.script ?? "");
  if (latest === undefined) {
    return failure({ status: 404, code: NO_SUCH_VERSION, message: "workers.api.error.version_not_found" });
  }
  const tag = asked.annotations?.["workers/tag"] ?? "";
  const message = asked.annotations?.["workers/message"] ?? "";
  const made = await derive(call, latest, textsOf(asked.env), { tag, message });
  return made instanceof Response ? made : ok(versionDetail(made));
};

/** By name; null takes it away. */
type Secrets = Record<string, string | null>;

async function derive(
  { env, params, author, source }: Call,
  latest: VersionRecord,
  secrets: Secrets,
  says: { tag: string; message: string },
): Promise<VersionRecord | Response> {
  const bindings = latest.bindings.filter(({ name }) => !(name in secrets));
  const taken = latest.bindings.find(({ name, type }) => name in secrets && type !== "secret_text");
  if (taken !== undefined) {
    const message = `Binding name '${taken.name}' already in use. Please use a different name and try again.`;
    return failure({ status: 400, code: NAME_TAKEN, message });
  }
  for (const [name, text] of Object.entries(secrets)) {
    if (text !== null) bindings.push({ name, type: "secret_text", text });
  }
  const made = await registryOf(env).deriveVersion(params.script ?? "", bindings, { author, source, ...says });
  return made.ok ? made.value : failure(made.refusal);
}

const secretsOf = (version: VersionRecord | undefined): Binding[] =>
  (version?.bindings ?? []).filter(({ type }) => type === "secret_text");

export const secrets: Route[] = [
  ["GET", "/workers/scripts/:script/secrets", list],
  ["PUT", "/workers/scripts/:script/secrets", put],
  ["DELETE", "/workers/scripts/:script/secrets/:name", remove],
  ["PATCH", "/workers/scripts/:script/secrets-bulk", patch],
  ["PATCH", "/workers/workers/:script/versions/latest", patchLatest],
];
