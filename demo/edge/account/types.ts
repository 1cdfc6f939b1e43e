/** What the local account keeps, in the edge's own words; `api/shapes.ts` says it in Cloudflare's. Times are ms since the epoch. */

/** As in an upload's metadata: `{type: "kv_namespace", name: "CARTS", namespace_id: "…"}`. */
export interface Binding {
  name: string;
  type: string;
  [field: string]: unknown;
}

/** An expected refusal, in Cloudflare's terms. */
export interface Refusal {
  status: number;
  code: number;
  message: string;
}
export type Result<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

export const done = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (status: number, code: number, message: string): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal: { status, code, message },
});

export interface ScriptRecord {
  name: string;
  createdAt: number;
  /** Cloudflare's own id of a script. */
  tag: string;
  /** Settings that are not of a version, and hold for all of them. */
  tailConsumers: { service: string; environment?: string }[];
  tags: string[];
  logpush: boolean;
  observability: unknown;
  subdomain: { enabled: boolean; previews_enabled: boolean };
  /** Last Durable Object migration that was applied. */
  migrationTag: string | null;
  /** Durable Object classes that migrations have made. */
  classes: string[];
}

export interface VersionRecord {
  id: string;
  script: string;
  number: number;
  createdAt: number;
  author: string;
  source: string;
  triggeredBy: string;
  tag: string;
  message: string;
  bindings: Binding[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  migrationTag: string | null;
  /** Name of the main module; empty where there is no code to load. */
  main: string;
  /** Id of the launcher's version that runs for it: its secrets changed, and only the launcher can run its code. */
  runsAs?: string;
  etag: string;
  /** Handlers of the default export, and named entrypoints. */
  handlers: string[];
  entrypoints: string[];
  startupMs: number;
}

export interface Share {
  version_id: string;
  percentage: number;
}

export interface DeploymentRecord {
  id: string;
  script: string;
  createdAt: number;
  author: string;
  source: string;
  triggeredBy: string;
  message: string;
  versions: Share[];
}

export type ModuleType = "js" | "cjs" | "text" | "data" | "wasm" | "json";
export interface Module {
  name: string;
  type: ModuleType;
  content: Uint8Array;
}

/** What is needed to lead a request to a version. */
export interface LiveVersion {
  id: string;
  /** Binding of a Worker that the launcher runs; null: it is loaded. */
  binding: string | null;
  /** Whether its tails lead to the platform: part of the loaded Worker's name, as it cannot be changed later. */
  isObserved: boolean;
}
export interface LiveScript {
  shares: Share[];
  versions: LiveVersion[];
}
/** By script. */
export type Live = Record<string, LiveScript>;
