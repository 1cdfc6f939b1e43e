/** The part of the API that rollouts and the connected account use; as `client.ts`, typed by the contract. */
import type {
  CloudflareAnswer,
  CloudflareRequest,
  DeploymentAnswer,
  Preflight,
  Rollout,
  RolloutAnswer,
  RolloutCommand,
  RolloutsAnswer,
  StartRollout,
} from "../../../workers/api/contract.ts";
import { get, part, request, text } from "./client.ts";

export type RolloutVerb = "promote" | "pause" | "resume" | "abort";

export interface RolloutParams {
  script?: string;
  /** A state, `running` for all that have not ended, `ended` for all that have. */
  state?: string;
  before?: number;
  limit?: number;
}

/** Where a rollout is known, its Worker goes along: it is then found without the database. */
type Known = Pick<Rollout, "id" | "script">;
const pathOf = ({ id, script }: Known, verb: string) =>
  `/api/v1/rollouts/${part(id)}/${verb}?script=${encodeURIComponent(script)}`;

const accountPath = (force: boolean) => `/api/v1/cloudflare${force ? "?force=true" : ""}`;

export const rolloutsApi = {
  list: (params: RolloutParams, signal?: AbortSignal) => get<RolloutsAnswer>("rollouts", { ...params }, signal),
  rollout: (id: string, script?: string, signal?: AbortSignal) =>
    get<RolloutAnswer>(`rollouts/${part(id)}`, { script }, signal),
  /** The whole record, as Markdown. */
  evidence: (rollout: Known) => text(pathOf(rollout, "evidence"), "text/markdown"),
  evidenceHref: (rollout: Known) => pathOf(rollout, "evidence"),
  command: (rollout: Known, verb: RolloutVerb, body: RolloutCommand) =>
    request<Rollout>("POST", pathOf(rollout, verb), body),
  start: (body: StartRollout) => request<Rollout>("POST", "/api/v1/rollouts", body),
  preflight: (body: StartRollout, signal?: AbortSignal) =>
    request<Preflight>("POST", "/api/v1/rollouts/preflight", body, signal),
  deployment: (script: string, signal?: AbortSignal) =>
    get<DeploymentAnswer>(`workers/${part(script)}/deployment`, {}, signal),

  account: (signal?: AbortSignal) => get<CloudflareAnswer>("cloudflare", {}, signal),
  /** @param force also while a rollout runs, which then nobody can take back */
  connect: (body: CloudflareRequest, force: boolean) => request<CloudflareAnswer>("PUT", accountPath(force), body),
  disconnect: (force: boolean) => request<void>("DELETE", accountPath(force)),
};
