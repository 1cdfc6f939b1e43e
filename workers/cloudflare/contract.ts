/**
 * The part of Cloudflare's API that Tailrace uses, as its callers see it:
 * expected failures are values. `client.ts` speaks it over HTTP; `rollouts/`
 * calls it. https://developers.cloudflare.com/api/resources/workers/
 */

export interface DeploymentVersion {
  version: string;
  /** 0 to 100. */
  percent: number;
}

export interface Deployment {
  id: string;
  /** ms since the epoch. */
  createdAt: number;
  author: string;
  /** `workers/message`. */
  message: string;
  /** `workers/triggered_by`: deployment, rollback, upload, secret … */
  triggeredBy: string;
  versions: DeploymentVersion[];
}

export interface Version {
  id: string;
  number: number;
  createdAt: number;
  author: string;
  tag: string;
  message: string;
  /** `workers/triggered_by`, where Cloudflare says it: `secret` for a version that a changed secret made. */
  triggeredBy?: string;
}

export interface VersionDetail extends Version {
  /** Last Durable Object migration that the version was made with; null when it has none. */
  migrationTag: string | null;
  compatibilityDate: string | null;
  bindings: VersionBinding[];
}
export interface VersionBinding {
  name: string;
  /** `kv_namespace`, `secret_text`, `durable_object_namespace` … */
  type: string;
  /** What it is bound to (namespace id, service, class …) as JSON text, without values of secrets. */
  target: string;
}

export type ApiFailureKind =
  /** The token is not accepted, or lacks a permission. */
  | "unauthorized"
  | "not_found"
  /** Cloudflare understood and said no (4xx): trying again changes nothing. */
  | "refused"
  | "rate_limited"
  /** 5xx, a broken or lying answer, no connection. */
  | "unavailable"
  /** Nobody knows whether it was done. */
  | "timeout";

export interface ApiFailure {
  ok: false;
  kind: ApiFailureKind;
  /** HTTP status; 0 when there was none. */
  status: number;
  /** Cloudflare's own code, as 10220. */
  code: number | null;
  /** Plain words; never a credential. */
  message: string;
  /** How long Cloudflare asks to wait. */
  retryAfterMs: number | null;
  /** Tries made. */
  attempts: number;
}
export type ApiResult<T> = { ok: true; value: T; attempts: number } | ApiFailure;

export interface DeployRequest {
  versions: DeploymentVersion[];
  /** `workers/message`: names the rollout and the action, so that our own deployments are known again. */
  message: string;
  /** immediate: also for invocations of Durable Objects that are under way. */
  mode: "deferred" | "immediate";
  /** Also across changed secrets (Cloudflare refuses it with code 10220 otherwise): a version that is taken back must not stay for that. */
  force?: boolean;
}

/** Reads are tried again by themselves, within bounds; writes are not: their caller re-reads first. */
export interface CloudflareClient {
  /** Newest first: the first is live. */
  deployments(script: string): Promise<ApiResult<Deployment[]>>;
  deploy(script: string, request: DeployRequest): Promise<ApiResult<Deployment>>;
  /** The newest 100, newest first: others cannot be deployed. */
  versions(script: string): Promise<ApiResult<Version[]>>;
  version(script: string, id: string): Promise<ApiResult<VersionDetail>>;
  /** Names of Workers that the script's tails lead to. */
  tailConsumers(script: string): Promise<ApiResult<string[]>>;
  /** Is the token accepted, and may it do what rollouts need? */
  verify(): Promise<ApiResult<void>>;
}

/** An entry of `tail_consumers`, as Cloudflare keeps it: what we do not know of it goes back as it came. */
export interface TailConsumer {
  service: string;
  environment?: string | null;
  namespace?: string | null;
  [field: string]: unknown;
}
export interface ListedWorker {
  name: string;
  /** null: the list does not say. */
  tailConsumers: TailConsumer[] | null;
}

/** The account's Workers, as connecting them and writing secrets into them needs it. */
export interface WorkersClient {
  workers(): Promise<ApiResult<ListedWorker[]>>;
  tailConsumers(script: string): Promise<ApiResult<TailConsumer[]>>;
  /** Replaces the whole list and nothing else. Answers what Cloudflare holds then. */
  setTailConsumers(script: string, consumers: readonly TailConsumer[]): Promise<ApiResult<TailConsumer[]>>;
  /** A new version with it is deployed by that, if the newest version is what is live. */
  putSecret(script: string, name: string, text: string): Promise<ApiResult<void>>;
  /** `not_found` when there is none of this name. */
  deleteSecret(script: string, name: string): Promise<ApiResult<void>>;
  secretNames(script: string): Promise<ApiResult<string[]>>;
}
