/** The API's paths of rollouts, and from what people type (a Worker's name, an id) to one rollout. */
import { randomUUID } from "node:crypto";
import type {
  EvidenceAnswer,
  Preflight,
  Rollout,
  RolloutAnswer,
  RolloutCommand,
  RolloutsAnswer,
  StartRollout,
} from "../../workers/api/contract.ts";
import type { ApiClient, CallOptions } from "../api/client.ts";
import { ApiFailure } from "../api/failures.ts";
import { CliFailure } from "../failure.ts";
import { safeLine } from "../safe-text.ts";
import type { Verb } from "./arguments.ts";

const ROOT = "/api/v1/rollouts";

/** Which rollout: with the Worker's name it is found while the platform's database is away. */
export interface Which {
  id: string;
  script?: string;
}

/** What there is to ask, as tests may answer it. */
export type Rollouts = Pick<RolloutApi, keyof RolloutApi>;

export class RolloutApi {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get url(): string {
    return this.#api.url;
  }

  preflight(request: StartRollout): Promise<Preflight> {
    return this.#api.call<Preflight>("POST", `${ROOT}/preflight`, { json: request });
  }

  /** The id is ours: asked again after a lost answer it is the same rollout, never a second one. */
  start(request: StartRollout): Promise<Rollout> {
    return this.#api.call<Rollout>("POST", ROOT, { json: { ...request, id: randomUUID() } });
  }

  command({ id, script }: Which, verb: Verb, command: RolloutCommand): Promise<Rollout> {
    return this.#api.call<Rollout>("POST", pathOf({ id, script }, `/${verb}`), { json: command });
  }

  read(which: Which, options: CallOptions = {}): Promise<RolloutAnswer> {
    return this.#api.call<RolloutAnswer>("GET", pathOf(which), options);
  }

  markdown(which: Which): Promise<string> {
    return this.#api.call<string>("GET", pathOf(which, "/evidence"), { accept: "text/markdown" });
  }

  evidence(which: Which): Promise<EvidenceAnswer> {
    return this.#api.call<EvidenceAnswer>("GET", pathOf(which, "/evidence"));
  }

  list(filters: { script?: string; state?: string; limit?: number }): Promise<RolloutsAnswer> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, String(value));
    return this.#api.call<RolloutsAnswer>("GET", `${ROOT}?${query}`);
  }

  /** The rollout of that Worker that runs, else its newest; or the one of that id. */
  async find(target: string, worker?: string): Promise<Which> {
    if (worker !== undefined) return { id: target, script: worker };
    const [running] = (await this.list({ script: target, state: "running", limit: 1 })).rollouts;
    const found = running ?? (await this.list({ script: target, limit: 1 })).rollouts[0];
    if (found !== undefined) return { id: found.id, script: found.script };
    try {
      const { rollout } = await this.read({ id: target });
      return { id: rollout.id, script: rollout.script };
    } catch (error) {
      // An id has no spaces: what cannot be one is refused, which means the same to who typed it.
      if (!(error instanceof ApiFailure) || (error.status !== 404 && error.status !== 400)) throw error;
      throw new CliFailure(
        `there is no rollout of a Worker ${safeLine(target)}, and none with that id (tailrace rollout list)`,
      );
    }
  }
}

function pathOf({ id, script }: Which, more = ""): string {
  const query = script === undefined ? "" : `?script=${encodeURIComponent(script)}`;
  return `${ROOT}/${encodeURIComponent(id)}${more}${query}`;
}
