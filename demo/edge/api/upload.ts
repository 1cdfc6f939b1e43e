/**
 * An upload: a form with `metadata` and the modules, from `wrangler deploy`
 * (a new Worker) or `wrangler versions upload`. The code is started once before
 * it is taken; what this edge cannot run is refused in plain words.
 */
import { BAD_UPLOAD } from "../account/rules.ts";
import { refusedConsumer, type TailConsumers } from "../account/tails.ts";
import {
  type Binding,
  done,
  type Module,
  type ModuleType,
  type Refusal,
  type Result,
  refuse,
  type ScriptRecord,
  type VersionRecord,
} from "../account/types.ts";
import { type EdgeEnv, registryOf } from "../env.ts";
import { start, unsupported } from "../run/load.ts";

const CANNOT_INHERIT = 10057;
const MIGRATION_IN_VERSION = 10211;
const WRONG_TAG = 10079;
const CLASS_MISSING = 10064;
/** Compressed, Cloudflare takes 10 MB; this is as they come. */
const MAX_BYTES = 64 * 2 ** 20;
/** By the type of the part. Source maps are taken and let go, as nobody here reads them. */
const MODULE_TYPES: Record<string, ModuleType | "skip"> = {
  "application/javascript+module": "js",
  "application/javascript": "cjs",
  "text/plain": "text",
  "application/octet-stream": "data",
  "application/wasm": "wasm",
  "application/json": "json",
  "application/source-map": "skip",
};

export interface Metadata {
  main_module?: string;
  bindings?: Binding[];
  keep_bindings?: string[];
  compatibility_date?: string;
  compatibility_flags?: string[];
  annotations?: Record<string, string | undefined>;
  tail_consumers?: TailConsumers | null;
  tags?: string[];
  logpush?: boolean;
  observability?: unknown;
  migrations?: Migrations;
  assets?: unknown;
  exports?: unknown;
  containers?: unknown;
}

/** From the tag that the Worker is at (none for a new one) to a new one. */
interface Migrations {
  old_tag?: string;
  new_tag?: string;
  steps?: Record<string, unknown>[];
}

export interface Upload {
  metadata: Metadata;
  modules: Module[];
}

export async function readUpload(request: Request): Promise<Result<Upload>> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BYTES) return bad("The upload is too large.", 413);
  const form = await request.formData().catch(() => undefined);
  const text = form?.get("metadata");
  const metadata = parse(text instanceof File ? await text.text() : text);
  if (form === undefined || metadata === undefined) return bad("Could not parse the upload: no metadata.");
  const modules: Module[] = [];
  for (const [name, part] of form.entries()) {
    if (name === "metadata") continue;
    const given = part instanceof File ? (part.type.split(";")[0] ?? "") : "text/plain";
    const type = MODULE_TYPES[given];
    if (type === undefined) return bad(`Local edge: modules of type ${given} (${name}) do not run here.`);
    if (type === "skip") continue;
    const content = part instanceof File ? new Uint8Array(await part.arrayBuffer()) : new TextEncoder().encode(part);
    modules.push({ name, type, content });
  }
  return done({ metadata, modules });
}

function parse(text: string | null | undefined): Metadata | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

export interface Uploader {
  script: string;
  author: string;
  source: string;
  triggeredBy: string;
  /** Only what is deployed to everyone at once may bring a migration. */
  mayMigrate: boolean;
  ctx: { exports: unknown };
}

/** Checks and starts the code, and enters the version. The Worker must exist. */
export async function takeVersion(
  env: EdgeEnv,
  { metadata, modules }: Upload,
  by: Uploader,
): Promise<Result<VersionRecord>> {
  const registry = registryOf(env);
  const [scripts, versions] = await Promise.all([registry.scripts(), registry.versions(by.script)]);
  const known = scripts.find(({ name }) => name === by.script) ?? { name: by.script, migrationTag: null, classes: [] };
  const main = modules.find(({ name }) => name === metadata.main_module);
  const problem = refusedParts(metadata, main) ?? env.SHOP.scripts[by.script]?.fixed;
  if (problem !== undefined) return bad(`Local edge: ${problem}.`);
  if (metadata.migrations !== undefined && !by.mayMigrate) return refuse(400, MIGRATION_IN_VERSION, MIGRATION);
  const migrated = migrate(known, metadata.migrations);
  if ("refusal" in migrated) return migrated;
  const consumer = refusedConsumer(metadata.tail_consumers, scripts);
  if (consumer !== undefined) return { ok: false, refusal: consumer };
  const bindings = resolveBindings(metadata, versions[0]);
  if (typeof bindings === "string") return refuse(400, CANNOT_INHERIT, bindings);
  for (const binding of bindings) {
    const why = unsupported(binding, by.script, env, [migrated, ...scripts]);
    if (why !== undefined) return bad(`Local edge: ${why}.`);
  }
  const version: VersionRecord = {
    ...{ id: "", number: 0, createdAt: 0, script: by.script },
    ...{ author: by.author, source: by.source, triggeredBy: by.triggeredBy, bindings },
    tag: metadata.annotations?.["workers/tag"] ?? "",
    message: metadata.annotations?.["workers/message"] ?? "",
    compatibilityDate: metadata.compatibility_date ?? "",
    compatibilityFlags: metadata.compatibility_flags ?? [],
    migrationTag: migrated.migrationTag,
    main: metadata.main_module ?? "",
    etag: await digest(modules),
    ...{ handlers: [], entrypoints: [], startupMs: 0 },
  };
  const began = Date.now();
  const started = await start(env, by.ctx, version, modules);
  if ("failure" in started) return bad(started.failure);
  const { hasDefault, handlers, entrypoints } = started;
  if (handlers.length === 0 && entrypoints.length === 0) {
    return bad("The uploaded script has no registered event handlers.");
  }
  const gone = migrated.classes.find((name) => !entrypoints.includes(name));
  if (gone !== undefined) {
    const message = `New version of script does not export class '${gone}' which is depended on by existing Durable Objects.`;
    return refuse(400, CLASS_MISSING, message);
  }
  const found = { handlers: hasDefault ? handlers : [], entrypoints, startupMs: Date.now() - began };
  const { migrationTag, classes } = migrated;
  if (metadata.migrations !== undefined) {
    await registry.ensureScript(by.script);
    await registry.changeScript(by.script, { migrationTag, classes });
  }
  return done(await registry.addVersion({ ...version, ...found, modules }));
}

type Migrated = Pick<ScriptRecord, "name" | "migrationTag" | "classes">;

/** What the Worker's Durable Objects are after the migration. Classes can be made here, not renamed, moved or deleted. */
function migrate(known: Migrated, asked: Migrations | undefined): Migrated | { ok: false; refusal: Refusal } {
  if (asked === undefined) return known;
  if ((asked.old_tag ?? null) !== known.migrationTag) {
    const message = `Migration tag precondition failed: the Worker is at ${known.migrationTag ?? "none"}, not at ${asked.old_tag ?? "none"}.`;
    return refuse(400, WRONG_TAG, message);
  }
  const classes = new Set(known.classes);
  for (const [kind, names] of (asked.steps ?? []).flatMap((step) => Object.entries(step))) {
    const isEmpty = Array.isArray(names) && names.length === 0;
    if (kind !== "new_sqlite_classes" && kind !== "new_classes" && !isEmpty) {
      return bad(`Local edge: migrations with ${kind} are not done here.`);
    }
    for (const name of names as string[]) classes.add(name);
  }
  return { name: known.name, migrationTag: asked.new_tag ?? known.migrationTag, classes: [...classes] };
}

const MIGRATION =
  "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment.";

function refusedParts(metadata: Metadata, main: Module | undefined): string | undefined {
  const { assets, exports, containers, compatibility_date } = metadata;
  if (metadata.main_module === undefined) return "only Workers that are modules run here";
  if (main === undefined) return `main module ${metadata.main_module} is not in the upload`;
  if (main.type !== "js") return `main module ${metadata.main_module} is not an ES module`;
  if (compatibility_date === undefined) return "a compatibility date is needed";
  if (assets !== undefined) return "static assets are not served here";
  if (containers !== undefined) return "containers do not run here";
  if (exports !== undefined) return "declared exports are not known here";
  return undefined;
}

/** `inherit` and `keep_bindings` take from the newest version, as Cloudflare does. */
function resolveBindings(metadata: Metadata, latest: VersionRecord | undefined): Binding[] | string {
  const before = new Map(latest?.bindings.map((binding) => [binding.name, binding]));
  const resolved = new Map<string, Binding>();
  for (const binding of before.values()) {
    if (metadata.keep_bindings?.includes(binding.type)) resolved.set(binding.name, binding);
  }
  for (const binding of metadata.bindings ?? []) {
    const old = String(binding.old_name ?? binding.name);
    const inherited = binding.type === "inherit" ? before.get(old) : binding;
    if (inherited === undefined) {
      return `Binding '${binding.name}' cannot be inherited: the previous version has no binding '${old}'.`;
    }
    resolved.set(binding.name, { ...inherited, name: binding.name });
  }
  return [...resolved.values()];
}

async function digest(modules: readonly Module[]): Promise<string> {
  const bytes = await new Blob(modules.flatMap(({ name, content }) => [name, content])).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const bad = (message: string, status = 400) => refuse(status, BAD_UPLOAD, message);
