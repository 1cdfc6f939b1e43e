/** A guard that answers what a test wants, behind the real routes; what a real one does is tested in test/workers/rollouts. */
import { createExecutionContext, env } from "cloudflare:test";
import { app } from "../../../workers/api/app.ts";
import {
  DEFAULT_PLAN,
  type Rollout,
  type RolloutAnswer,
  type RolloutCommand,
  type StartRollout,
} from "../../../workers/api/contract.ts";
import type { GuardFailureCode, GuardResult, GuardRpc } from "../../../workers/rollouts/contract.ts";
import { ADMIN, ORIGIN } from "./client.ts";

export function rolloutOf(more: Partial<Rollout> = {}): Rollout {
  const startedAt = more.startedAt ?? Date.UTC(2026, 10, 21, 7);
  return {
    id: "r-1",
    script: "shop",
    state: "running",
    mode: "act",
    isWatched: false,
    old: { id: "v1", tag: "", message: "" },
    new: { id: "v2", tag: "2.0", message: "faster" },
    plan: DEFAULT_PLAN,
    step: 0,
    percent: 1,
    verdict: "unknown",
    reason: "It has only begun.",
    startedAt,
    startedBy: "ci",
    endedAt: null,
    changedAt: startedAt,
    ...more,
  };
}

/** Answers for one Worker, and keeps what it was asked. */
export class FakeGuard implements GuardRpc {
  readonly asked: unknown[][] = [];
  running: string | null = null;
  refusal: { code: GuardFailureCode; message: string } | undefined;
  rollouts = new Map<string, Rollout>();

  async start(request: StartRollout, actor: string): Promise<GuardResult<Rollout>> {
    this.asked.push(["start", request, actor]);
    if (this.refusal !== undefined) return { ok: false, ...this.refusal };
    const rollout = rolloutOf({ script: request.script, id: request.id ?? `r-${request.script}`, startedBy: actor });
    this.rollouts.set(rollout.id, rollout);
    return { ok: true, value: rollout };
  }

  async preflight(request: StartRollout) {
    this.asked.push(["preflight", request]);
    if (this.refusal !== undefined) return { ok: false as const, ...this.refusal };
    const { old, new: next } = rolloutOf();
    return { ok: true as const, value: { ok: true, old, new: next, plan: DEFAULT_PLAN, findings: [] } };
  }

  async command(id: string, verb: string, command: RolloutCommand, actor: string): Promise<GuardResult<Rollout>> {
    this.asked.push([verb, id, command, actor]);
    if (this.refusal !== undefined) return { ok: false, ...this.refusal };
    const rollout = this.rollouts.get(id);
    return rollout === undefined
      ? { ok: false, code: "not_found", message: `There is no rollout ${id}.` }
      : { ok: true, value: rollout };
  }

  async read(id: string): Promise<RolloutAnswer | null> {
    const rollout = this.rollouts.get(id);
    if (rollout === undefined) return null;
    const soak = { ms: 0, ofMs: 300_000, limitMs: 7_200_000 };
    return { rollout, judgement: null, soak, bucketMs: 10_000, points: [], issues: [], events: [], blind: [] };
  }

  async evidence(id: string): ReturnType<GuardRpc["evidence"]> {
    const rollout = this.rollouts.get(id);
    return rollout === undefined ? null : { rollout, events: [], judgement: null };
  }

  async current(): Promise<string | null> {
    return this.running;
  }

  async noticed(): Promise<{ againAfterMs: number }> {
    return { againAfterMs: 0 };
  }
}

export interface Asked {
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
  /** In place of the real D1. */
  db?: D1Database;
}

/** The API with guards that a test holds, by the Worker's name. */
export function apiOf(guards: Record<string, FakeGuard>) {
  const nobody = new FakeGuard();
  const namespace = { getByName: (name: string) => guards[name] ?? nobody };
  return (method: string, path: string, { body, token = ADMIN, headers, db = env.DB }: Asked = {}) => {
    const bindings = { ...env, DB: db, ROLLOUTS: namespace as unknown as Env["ROLLOUTS"] };
    const init = {
      method,
      headers: { authorization: `Bearer ${token}`, "cf-connecting-ip": "192.0.2.7", ...headers },
      body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
    };
    return app.fetch(new Request(new URL(path, ORIGIN), init), bindings, createExecutionContext());
  };
}

/** D1 during an outage. */
export const brokenDatabase = {
  prepare: () => {
    throw new Error("D1_ERROR: it is away");
  },
  batch: () => Promise.reject(new Error("D1_ERROR: it is away")),
} as unknown as D1Database;
