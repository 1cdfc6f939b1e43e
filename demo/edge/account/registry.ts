/**
 * The account: Workers, their versions with code and bindings, and deployments.
 * One Durable Object, so that each change is whole. `api/` changes it,
 * `traffic/live.ts` reads twice a second who gets what.
 *
 * What the launcher built is entered as if it had been uploaded. After a build
 * with other code the new versions are added and deployed; those of before stay,
 * and run from their kept code.
 */
import { DurableObject } from "cloudflare:workers";
import type { BuiltScript, BuiltVersion, EdgeEnv } from "../env.ts";
import { checkDeployment, NO_SUCH_SCRIPT, NO_SUCH_VERSION } from "./rules.ts";
import { Store } from "./store.ts";
import { isObserved } from "./tails.ts";
import {
  type Binding,
  type DeploymentRecord,
  done,
  type Live,
  type Module,
  type Result,
  refuse,
  type ScriptRecord,
  type Share,
  type VersionRecord,
} from "./types.ts";

const BUILDER = "builder@shop.example";
const MAIN = "index.js";

export interface NewVersion extends Omit<VersionRecord, "number" | "id" | "createdAt"> {
  modules: Module[];
}
export interface NewDeployment {
  author: string;
  source: string;
  triggeredBy: string;
  message: string;
  /** As it was sent: checked here. */
  asked: unknown;
  force: boolean;
}

export class Registry extends DurableObject<EdgeEnv> {
  readonly #store: Store;

  constructor(ctx: DurableObjectState, env: EdgeEnv) {
    super(ctx, env);
    this.#store = new Store(ctx.storage.sql);
    ctx.storage.transactionSync(() => {
      for (const [name, built] of Object.entries(env.SHOP.scripts)) this.#enter(name, built);
    });
  }

  live(): Live {
    const live: Live = {};
    for (const script of this.#store.scripts()) {
      const shares = this.#store.deployments(script.name, 1)[0]?.versions ?? [];
      const versions = shares.flatMap(({ version_id }) => this.#store.version(script.name, version_id) ?? []);
      live[script.name] = {
        shares,
        versions: versions.map((version) => ({
          id: version.id,
          binding: this.#isAsBuilt(script) ? this.#builtBinding(version) : null,
          isObserved: isObserved(script.tailConsumers),
        })),
      };
    }
    return live;
  }

  scripts(): ScriptRecord[] {
    return this.#store.scripts();
  }

  script(name: string): ScriptRecord | null {
    return this.#store.script(name) ?? null;
  }

  /** Newest first. */
  versions(script: string): VersionRecord[] {
    return this.#store.versions(script);
  }

  version(script: string, id: string): VersionRecord | null {
    return this.#store.version(script, id) ?? null;
  }

  modules(id: string): Module[] {
    return this.#store.modules(id);
  }

  /** Newest first. */
  deployments(script: string, limit: number): DeploymentRecord[] {
    return this.#store.deployments(script, limit);
  }

  namespaces(): { id: string; title: string }[] {
    return this.#store.namespaces();
  }

  addNamespace(id: string, title: string): void {
    this.#store.addNamespace(id, title);
  }

  /** Makes the Worker, if there is none of this name. */
  ensureScript(name: string): ScriptRecord {
    const known = this.#store.script(name);
    if (known !== undefined) return known;
    const script = newScript(name);
    this.#store.putScript(script);
    return script;
  }

  changeScript(name: string, change: Partial<ScriptRecord>): ScriptRecord | null {
    const script = this.#store.script(name);
    if (script === undefined) return null;
    const changed = { ...script, ...change, name };
    this.#store.putScript(changed);
    return changed;
  }

  removeScript(name: string): void {
    this.ctx.storage.transactionSync(() => this.#store.removeScript(name));
  }

  addVersion({ modules, ...given }: NewVersion): VersionRecord {
    const version: VersionRecord = { ...given, id: crypto.randomUUID(), ...this.#next(given.script) };
    this.ctx.storage.transactionSync(() => {
      this.#store.putVersion(version);
      this.#store.putModules(version.id, modules);
    });
    return version;
  }

  /**
   * The newest version with other secrets, as Cloudflare makes it when one is put or
   * deleted. Where only the launcher can run the code, its Worker goes on as it was
   * started: the secret is in the account, and not in its `env`.
   */
  deriveVersion(
    script: string,
    bindings: Binding[],
    says: Pick<VersionRecord, "author" | "source" | "tag" | "message">,
  ) {
    const latest = this.#store.versions(script)[0];
    if (latest === undefined) return refuse(404, NO_SUCH_VERSION, "workers.api.error.version_not_found");
    const modules = this.#store.modules(latest.id);
    const runsAs = modules.length > 0 ? {} : { runsAs: latest.runsAs ?? latest.id };
    return done(this.addVersion({ ...latest, ...says, ...runsAs, bindings, modules, triggeredBy: "secret" }));
  }

  deploy(script: string, given: NewDeployment): Result<DeploymentRecord> {
    const known = this.#store.script(script);
    if (known === undefined) return refuse(404, NO_SUCH_SCRIPT, "This Worker does not exist on your account.");
    const checked = checkDeployment(given.asked, {
      versions: this.#store.versions(script),
      live: this.#store.deployments(script, 1)[0]?.versions ?? [],
      migrationTag: known.migrationTag,
      force: given.force,
      canRun: (version) => this.#canRun(version),
    });
    if ("refusal" in checked) return { ok: false, refusal: checked.refusal };
    return done(this.#deploy(script, checked.shares, given));
  }

  #deploy(
    script: string,
    versions: Share[],
    { author, source, triggeredBy, message }: Pick<NewDeployment, "author" | "source" | "triggeredBy" | "message">,
  ): DeploymentRecord {
    const says = { author, source, triggeredBy, message };
    const after = (this.#store.deployments(script, 1)[0]?.createdAt ?? 0) + 1;
    const createdAt = Math.max(Date.now(), after);
    const deployment = { ...says, id: crypto.randomUUID(), script, createdAt, versions };
    this.#store.putDeployment(deployment);
    return deployment;
  }

  /** Enters what the launcher built, unless it is there. */
  #enter(name: string, built: BuiltScript): void {
    const script = this.#store.script(name) ?? { ...newScript(name), tailConsumers: built.tailConsumers };
    const migrationTag = built.versions[0]?.migrationTag ?? null;
    this.#store.putScript({ ...script, migrationTag });
    const isNew = built.versions.map((version) => this.#enterVersion(name, version));
    const live = this.#store.deployments(name, 1)[0];
    const runs = (id: string) => {
      const version = this.#store.version(name, id);
      return version !== undefined && this.#canRun(version);
    };
    // Code that has just been built is what its builder wants to see.
    if (live !== undefined && !isNew.includes(true) && live.versions.every((share) => runs(share.version_id))) return;
    const says = { author: BUILDER, source: "wrangler", triggeredBy: "deployment" };
    const [first] = built.versions;
    // Something to go back to: everyone had the first one before the others came.
    if (built.versions.length > 1 && first !== undefined) {
      this.#deploy(name, [{ version_id: first.id, percentage: 100 }], { ...says, message: first.message });
    }
    const shares = built.versions.map(({ id, percent }) => ({ version_id: id, percentage: percent }));
    this.#deploy(name, shares, { ...says, message: "As npm start built it" });
  }

  #enterVersion(script: string, built: BuiltVersion): boolean {
    if (this.#store.version(script, built.id) !== undefined) return false;
    const { id, tag, message, compatibilityDate, compatibilityFlags, migrationTag, code } = built;
    // As a deploy of wrangler does, it keeps the secrets.
    const before = this.#store.versions(script)[0]?.bindings ?? [];
    const names = new Set(built.bindings.map(({ name }) => name));
    const kept = before.filter(({ name, type }) => type === "secret_text" && !names.has(name));
    const bindings = [...built.bindings, ...kept];
    this.#store.putVersion({
      ...{ id, script, tag, message, bindings, compatibilityDate, compatibilityFlags, migrationTag },
      ...this.#next(script),
      ...{ author: BUILDER, source: "wrangler", triggeredBy: "version_upload" },
      main: code === null ? "" : MAIN,
      etag: id.replaceAll("-", ""),
      handlers: ["fetch"],
      entrypoints: [],
      startupMs: 1,
    });
    if (code !== null)
      this.#store.putModules(id, [{ name: MAIN, type: "js", content: new TextEncoder().encode(code) }]);
    return true;
  }

  /** Clients sort by time: two within a millisecond would change places. */
  #next(script: string): { number: number; createdAt: number } {
    const latest = this.#store.versions(script)[0];
    return { number: (latest?.number ?? 0) + 1, createdAt: Math.max(Date.now(), (latest?.createdAt ?? 0) + 1) };
  }

  /** The launcher bound its tail for good: once it leads elsewhere, its kept code is loaded instead. */
  #isAsBuilt({ name, tailConsumers }: ScriptRecord): boolean {
    const built = this.env.SHOP.scripts[name];
    if (built === undefined || built.fixed !== undefined) return true;
    return isObserved(built.tailConsumers) === isObserved(tailConsumers);
  }

  #builtBinding({ script, id, runsAs = id }: VersionRecord): string | null {
    return this.env.SHOP.scripts[script]?.versions.find((version) => version.id === runsAs)?.binding ?? null;
  }

  #canRun(version: VersionRecord): boolean {
    return this.#builtBinding(version) !== null || this.#store.hasModules(version.id);
  }
}

const newScript = (name: string): ScriptRecord => ({
  ...{ name, createdAt: Date.now(), tag: crypto.randomUUID().replaceAll("-", "") },
  ...{ tailConsumers: [], tags: [], logpush: false, observability: null, migrationTag: null, classes: [] },
  subdomain: { enabled: true, previews_enabled: false },
});
