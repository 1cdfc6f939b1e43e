/**
 * The deployments: which share of the traffic each version has. One Durable
 * Object holds them, isolates remember them for a second, as propagation at
 * the real edge takes a moment too. `GET|PUT /__edge/deployments` shows and
 * changes them.
 */
import { DurableObject } from "cloudflare:workers";
import type { EdgeEnv, Share } from "./env.ts";

const PROPAGATION_MS = 1_000;
/** Percentages are typed by people: a hundredth is as exact as they get. */
const SUM_TOLERANCE = 0.01;

type Stored = Record<string, Share[]>;

export class Deployments extends DurableObject<EdgeEnv> {
  async read(): Promise<Stored> {
    const stored: Stored = {};
    for (const [script, versions] of Object.entries(this.env.VERSIONS)) {
      const kept = await this.ctx.storage.get<Share[]>(script);
      const isCurrent = kept?.every((share) => versions.some((version) => version.id === share.version_id));
      // After a rebuild the ids are others: back to what the launcher says.
      stored[script] =
        kept !== undefined && isCurrent
          ? kept
          : versions.map(({ id, percent }) => ({ version_id: id, percentage: percent }));
    }
    return stored;
  }

  async write(script: string, shares: Share[]): Promise<void> {
    await this.ctx.storage.put(script, shares);
  }
}

let remembered: { at: number; shares: Promise<Stored> } | undefined;

export async function readDeployment(env: EdgeEnv, script: string): Promise<Share[]> {
  if (remembered === undefined || Date.now() - remembered.at > PROPAGATION_MS) {
    remembered = { at: Date.now(), shares: deployments(env).read() };
  }
  try {
    return (await remembered.shares)[script] ?? [];
  } catch (error) {
    remembered = undefined;
    throw error;
  }
}

export async function handleDeployments(request: Request, env: EdgeEnv): Promise<Response> {
  if (request.method === "PUT") {
    const change: unknown = await request.json().catch(() => null);
    const problem = await apply(change, env);
    if (problem !== undefined) return Response.json({ error: problem }, { status: 400 });
    remembered = undefined;
  }
  return Response.json(await deployments(env).read());
}

/** @returns what is wrong with it, or undefined once it is done */
async function apply(change: unknown, env: EdgeEnv): Promise<string | undefined> {
  if (typeof change !== "object" || change === null) return "expected {script, versions: [{version_id, percentage}]}";
  const { script, versions } = change as { script?: unknown; versions?: unknown };
  const known = typeof script === "string" ? env.VERSIONS[script] : undefined;
  if (typeof script !== "string" || known === undefined) {
    return `script must be one of ${Object.keys(env.VERSIONS).join(", ")}`;
  }
  if (!Array.isArray(versions)) return "versions must be a list";
  const shares = versions.map((share: Share) => ({
    version_id: share?.version_id,
    percentage: Number(share?.percentage),
  }));
  if (!shares.every((share) => known.some((version) => version.id === share.version_id))) return "unknown version_id";
  const sum = shares.reduce((total, share) => total + share.percentage, 0);
  if (!shares.every((share) => share.percentage >= 0) || Math.abs(sum - 100) > SUM_TOLERANCE) {
    return "percentages must add up to 100";
  }
  await deployments(env).write(script, shares);
  return undefined;
}

const deployments = (env: EdgeEnv) => env.DEPLOYMENTS.getByName("all");
