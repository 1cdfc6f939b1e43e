/**
 * Runs an uploaded version: its modules from the account, its bindings as stubs,
 * in an isolate of its own in this workerd. What a local edge cannot give it is
 * refused at the upload (`unsupported`), never left out.
 */
import type { Binding, Module, ScriptRecord, VersionRecord } from "../account/types.ts";
import { type EdgeEnv, registryOf, type Shop } from "../env.ts";
import { type Loopback, loopbackOf } from "./loopback.ts";
import type { ObjectsProps } from "./objects.ts";
import { type Exports, PROBE, probeOf, WRAPPER, wrapperOf } from "./wrapper.ts";

/** Binding of the edge for namespaces that are not the shop's. */
const OTHER_KV = "UPLOADED_KV";
/** Only to start it: nothing is served by it. */
const PROBE_URL = "http://probe/";
/** What workerd says before the error itself; Cloudflare's API does not. */
const START_FAILED = "Failed to start Worker:\n";

export interface Runnable {
  script: string;
  id: string;
  isObserved: boolean;
}

export function load(env: EdgeEnv, ctx: { exports: unknown }, { script, id, isObserved }: Runnable): WorkerStub {
  return env.LOADER.get(`${id}${isObserved ? "" : "-unobserved"}`, async () => {
    const registry = registryOf(env);
    const [version, modules] = await Promise.all([registry.version(script, id), registry.modules(id)]);
    if (version === null) throw new Error(`BUG: version ${id} of ${script} is live and does not exist`);
    const { tag, message } = version;
    const loopback = loopbackOf(ctx);
    const isForwarded = isObserved && env.PLATFORM !== undefined;
    // Other consumers are kept in the settings only: the runtime hands a loaded Worker to no other one.
    const tails = isForwarded ? [loopback.Tail({ props: { script, version: { id, tag, message } } })] : [];
    const hasDefault = version.handlers.length > 0;
    return {
      ...code(version, modules, { [WRAPPER]: wrapperOf(version.main, version.bindings, hasDefault) }),
      env: bind(version, env, loopback),
      tails,
    };
  });
}

/** @returns what it exports, or the error with which it does not start */
export async function start(
  env: EdgeEnv,
  ctx: { exports: unknown },
  version: VersionRecord,
  modules: readonly Module[],
): Promise<Exports | { failure: string }> {
  const worker = env.LOADER.load({
    ...code(version, modules, { [PROBE]: probeOf(version.main) }),
    env: bind(version, env, loopbackOf(ctx)),
    globalOutbound: null,
  });
  try {
    return await (await worker.getEntrypoint().fetch(PROBE_URL)).json<Exports>();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { failure: message.slice(message.indexOf(START_FAILED) < 0 ? 0 : START_FAILED.length) };
  }
}

function code(version: VersionRecord, modules: readonly Module[], first: Record<string, string>) {
  const own = modules.map((module) => [module.name, asLoaded(module)] as const);
  return {
    compatibilityDate: version.compatibilityDate,
    compatibilityFlags: version.compatibilityFlags,
    mainModule: Object.keys(first)[0] as string,
    modules: { ...Object.fromEntries(own), ...first },
  };
}

function asLoaded({ type, content }: Module): WorkerLoaderModule {
  const bytes = content.slice().buffer;
  if (type === "wasm" || type === "data") return { [type]: bytes };
  const text = new TextDecoder().decode(bytes);
  return type === "json" ? { json: JSON.parse(text) } : { [type]: text };
}

function bind(version: VersionRecord, env: EdgeEnv, loopback: Loopback): Record<string, unknown> {
  return Object.fromEntries(version.bindings.map((binding) => [binding.name, value(binding, version, env, loopback)]));
}

function value(binding: Binding, version: VersionRecord, { SHOP }: EdgeEnv, loopback: Loopback): unknown {
  switch (binding.type) {
    case "plain_text":
    case "secret_text":
      return binding.text;
    case "json":
      return binding.json;
    case "version_metadata":
      return { id: version.id, tag: version.tag, timestamp: new Date(version.createdAt).toISOString() };
    case "kv_namespace": {
      const own = SHOP.kv[String(binding.namespace_id)];
      const props = own ? { binding: own, prefix: "" } : { binding: OTHER_KV, prefix: `${binding.namespace_id}/` };
      return loopback.KvNamespace({ props });
    }
    case "queue":
      return loopback.QueueProducer({ props: { binding: SHOP.queues[String(binding.queue_name)] as string } });
    case "durable_object_namespace":
      return loopback.ObjectNamespace({ props: objectsOf(binding, version.script, SHOP) });
    case "service": {
      const entrypoint = binding.entrypoint as string | undefined;
      return loopback.Service({ props: { script: String(binding.service), ...(entrypoint && { entrypoint }) } });
    }
    default:
      throw new Error(`BUG: binding ${binding.name} of type ${binding.type} was accepted`);
  }
}

function objectsOf({ script_name, class_name }: Binding, own: string, { objects }: Shop): ObjectsProps {
  const script = String(script_name ?? own);
  const binding = objects[`${script}/${class_name}`];
  return binding === undefined ? { script, className: String(class_name) } : { binding };
}

const RUNNABLE_TYPES = ["plain_text", "secret_text", "json", "version_metadata", "kv_namespace"];

/** @returns why the local edge cannot run a version with this binding; undefined: it can */
export function unsupported(
  binding: Binding,
  script: string,
  { SHOP }: EdgeEnv,
  scripts: readonly Pick<ScriptRecord, "name" | "classes">[],
): string | undefined {
  const { name, type } = binding;
  if (RUNNABLE_TYPES.includes(type)) return undefined;
  if (type === "queue") {
    return SHOP.queues[String(binding.queue_name)] ? undefined : `queue "${binding.queue_name}" does not exist here`;
  }
  if (type === "service") {
    const service = String(binding.service);
    return scripts.some((one) => one.name === service)
      ? undefined
      : `binding ${name} refers to the Worker "${service}", which does not exist`;
  }
  if (type === "durable_object_namespace") {
    const owner = String(binding.script_name ?? script);
    const made = scripts.find((one) => one.name === owner)?.classes ?? [];
    if (SHOP.objects[`${owner}/${binding.class_name}`] || made.includes(String(binding.class_name))) return undefined;
    return `binding ${name}: there is no Durable Object ${binding.class_name} of ${owner}; a new class needs a migration`;
  }
  return `binding ${name}: bindings of type ${type} do not exist here`;
}
