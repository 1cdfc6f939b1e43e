/** Whose deployment is live? Pure: from what Cloudflare lists and what we know to have made. */
import type { Deployment } from "../../cloudflare/contract.ts";
import { MESSAGE_CHARS } from "./limits.ts";
import { isOurPair, type Run } from "./run.ts";

export type Live =
  /** The one that we know of. */
  | { who: "expected"; deployment: Deployment }
  /** Made by this rollout, though we did not hear that it was. */
  | { who: "ours"; deployment: Deployment }
  /** One that was replaced: an old answer. */
  | { who: "stale"; deployment: Deployment }
  | { who: "somebody"; deployment: Deployment }
  | { who: "nobody" };

const prefix = (id: string) => `Tailrace ${id} `;

/** By it our own deployments are known again. */
export function deploymentMessage(id: string, seq: number, text: string): string {
  const message = `${prefix(id)}${seq}: ${text}`;
  return message.length <= MESSAGE_CHARS ? message : `${message.slice(0, MESSAGE_CHARS - 1)}…`;
}

export const isMessageOfTailrace = (message: string): boolean => message.startsWith("Tailrace ");

export function whoseIsLive(run: Run, deployments: readonly Deployment[]): Live {
  const deployment = deployments[0];
  if (deployment === undefined) return { who: "nobody" };
  if (deployment.id === run.expected) return { who: "expected", deployment };
  if (run.past.includes(deployment.id)) return { who: "stale", deployment };
  const isOurs = deployment.message.startsWith(prefix(run.rollout.id)) && isOurPair(run.rollout, deployment.versions);
  return { who: isOurs ? "ours" : "somebody", deployment };
}

/** A deployment of somebody else that ours replaced, because it was made between our reading and our writing. */
export function overwritten(run: Run, deployments: readonly Deployment[]): Deployment | undefined {
  const before = deployments[1];
  if (before === undefined || before.id === run.expected || run.past.includes(before.id)) return undefined;
  return before.message.startsWith(prefix(run.rollout.id)) ? undefined : before;
}
