/**
 * A guard with a world of its own: Cloudflare that lies, telemetry that stops, a
 * clock that jumps, a database that is away. It outlives evictions, as the real
 * one would. Alarms are recorded, and go off when a test says so.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Judgement, Rollout, RolloutEvent, StartRollout, Verdict } from "../../../workers/api/contract.ts";
import type { CloudflareClient, DeployRequest } from "../../../workers/cloudflare/contract.ts";
import type { Evidence, IssueCount } from "../../../workers/rollouts/contract.ts";
import { type Dependencies, dependencies } from "../../../workers/rollouts/guard/dependencies.ts";
import type { RolloutGuard } from "../../../workers/rollouts/guard.ts";
import { LyingCloudflare } from "../../support/lying-cloudflare.ts";

export const TEN_O_CLOCK = Date.UTC(2026, 10, 21, 10);
const LOOK_MS = 2_000;

/** Steps of 5, 50 and 100 %, with a minute of soak each, and half an hour at most. */
export const PLAN = {
  steps: [
    { percent: 5, soakMinutes: 1 },
    { percent: 50, soakMinutes: 1 },
    { percent: 100, soakMinutes: 0 },
  ],
  stepLimitMinutes: 30,
} satisfies StartRollout["plan"];

const worlds = new Map<string, World>();
const real = dependencies.make;
dependencies.make = (ctx, env) => worlds.get(ctx.id.name ?? "")?.dependencies(ctx, env) ?? real(ctx, env);

let made = 0;

export class World {
  readonly script: string;
  readonly cloudflare: LyingCloudflare;
  clock = TEN_O_CLOCK;
  verdict: Verdict = "unknown";
  blind: string[] = [];
  /** Telemetry of both versions comes in. */
  hasTraffic = true;
  isConnected = true;
  issues: IssueCount[] = [];
  /** Ids of versions whose source maps are here. */
  mapped: readonly string[] = [];
  requests: number | null = 1_000;
  db: D1Database = env.DB;
  publishes = 0;
  /** Delays that were asked for, the newest last. */
  wakes: (number | null)[] = [];
  splits: number[] = [];
  /** Called when Cloudflare's answer is on its way: a test does there what may happen meanwhile. */
  beforeAnswer: (call: string) => Promise<void> | void = () => undefined;
  /** In place of the verdict alone. */
  judge: Dependencies["judge"] | undefined;
  /** In place of the real policy. */
  policy: Dependencies["nextMove"] | undefined;
  /** Called right before Cloudflare gets what is posted. */
  onPost: (request: DeployRequest) => void = () => undefined;
  #newest = TEN_O_CLOCK;

  constructor(name: string) {
    this.script = `guard-${name}-${++made}`;
    this.cloudflare = new LyingCloudflare(() => this.clock);
    this.cloudflare.add(this.script, [
      { id: "old", tag: "v1" },
      { id: "new", tag: "v2", message: "Faster delivery" },
    ]);
    worlds.set(this.script, this);
  }

  get stub(): DurableObjectStub<RolloutGuard> {
    return env.ROLLOUTS.getByName(this.script);
  }

  dependencies(ctx: DurableObjectState, env: Env): Dependencies {
    const own = real(ctx, env);
    return {
      ...own,
      cloudflare: async () => (this.isConnected ? this.#client() : null),
      feed: {
        begin: () => undefined,
        look: async () => {
          if (this.hasTraffic) this.#newest = Math.max(this.#newest, this.clock);
        },
        evidence: () => this.#evidence(),
        settle: () => undefined,
        splitChanged: (at) => {
          this.splits.push(at);
          return at / 1000;
        },
        points: () => [],
        forget: () => undefined,
      },
      judge: (...args) => this.judge?.(...args) ?? this.#judgement(),
      nextMove: (...args) => (this.policy ?? own.nextMove)(...args),
      telemetry: async () => ({ requests: this.requests, minutes: 10 }),
      mapped: async () => this.mapped,
      db: () => this.db,
      publish: async () => void this.publishes++,
      now: () => this.clock,
      random: () => 0.5,
      wake: (delayMs) => void this.wakes.push(delayMs),
    };
  }

  #client(): CloudflareClient {
    const { cloudflare } = this;
    const around =
      <A extends unknown[], R>(call: string, work: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        const answer = await work.apply(cloudflare, args);
        await this.beforeAnswer(call);
        return answer;
      };
    return {
      deployments: around("deployments", cloudflare.deployments),
      deploy: around("deploy", (script: string, request: DeployRequest) => {
        this.onPost(request);
        return cloudflare.deploy(script, request);
      }),
      versions: around("versions", cloudflare.versions),
      version: around("version", cloudflare.version),
      tailConsumers: around("tailConsumers", cloudflare.tailConsumers),
      verify: around("verify", cloudflare.verify),
    };
  }

  #evidence(): Evidence {
    const newest = this.#newest;
    return {
      cells: [],
      queries: [],
      issues: this.issues,
      sight: { blind: this.blind, notes: [], newestOld: newest, newestNew: newest },
    };
  }

  #judgement(): Judgement {
    const { verdict } = this;
    return {
      verdict,
      isDisaster: false,
      reason: `The test says ${verdict}.`,
      gates: [],
      // As the traffic is split: another share would be a reason to wait.
      present: { old: 10_000 * (100 - this.percent), new: 10_000 * this.percent },
    };
  }

  async start(more: Partial<StartRollout> = {}): Promise<Rollout> {
    const started = await this.stub.start({ script: this.script, version: "new", plan: PLAN, ...more }, "releaser");
    if (!started.ok) throw new Error(`${started.code}: ${started.message}`);
    return started.value;
  }

  /** So many alarms go off, 2 s apart. */
  async looks(times: number, stepMs = LOOK_MS): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.clock += stepMs;
      await runInDurableObject(this.stub, (guard: RolloutGuard) => guard.alarm());
    }
  }

  /** Looks until the rollout is in that state, within a bound. */
  async until(id: string, isThere: (rollout: Rollout) => boolean, limit = 200): Promise<Rollout> {
    for (let i = 0; i < limit; i++) {
      const rollout = await this.rollout(id);
      if (isThere(rollout)) return rollout;
      await this.looks(1);
    }
    throw new Error(`not after ${limit} looks: ${JSON.stringify(await this.rollout(id))}`);
  }

  async rollout(id: string): Promise<Rollout> {
    const page = await this.stub.read(id);
    if (page === null) throw new Error(`no rollout ${id}`);
    return page.rollout;
  }

  async events(id: string): Promise<RolloutEvent[]> {
    return (await this.stub.evidence(id))?.events ?? [];
  }

  async evict(): Promise<void> {
    // One that is not there cannot be lost.
    await this.stub.current();
    await evictDurableObject(this.stub);
  }

  /** Of the new version, in truth. */
  get percent(): number {
    return this.cloudflare.live(this.script)?.versions.find(({ version }) => version === "new")?.percent ?? 0;
  }

  /** Percentages of the new version that were asked of Cloudflare, in order. */
  get asked(): number[] {
    return this.cloudflare
      .posts(this.script)
      .map(({ versions }) => versions.find(({ version }) => version === "new")?.percent ?? 0);
  }

  /** Percentages that took effect by our hand, in order. */
  get ours(): number[] {
    const made = this.cloudflare.history(this.script).filter(({ message }) => message.startsWith("Tailrace "));
    return made.map(({ versions }) => versions.find(({ version }) => version === "new")?.percent ?? 0).reverse();
  }
}

/** D1 that is away. */
export const awayDb = {
  prepare: (query: string) => env.DB.prepare(query),
  batch: async () => {
    throw new Error("D1 is away");
  },
} as unknown as D1Database;
