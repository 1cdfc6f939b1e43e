/** Whose deployment is live? Pure: from what Cloudflare lists and what we know to have made. */
import type { Deployment } from "../../cloudflare/contract.ts";
import { MESSAGE_CHARS } from "./limits.ts";
import { isOurPair, isSameSplit, type Run } from "./run.ts";

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
  const { versions } = deployment;
  const isPossible =
    isOurPair(run.rollout, versions) || (run.intent !== null && isSameSplit(versions, run.intent.versions));
  const isOurs = deployment.message.startsWith(prefix(run.rollout.id)) && isPossible;
  return { who: isOurs ? "ours" : "somebody", deployment };
}

/** The newest deployment of somebody else that ours replaced: it was made between our reading and our writing. */
export function overwritten(run: Run, deployments: readonly Deployment[]): Deployment | undefined {
  for (const deployment of deployments.slice(1)) {
    if (deployment.id === run.expected || run.past.includes(deployment.id)) return undefined;
    if (!deployment.message.startsWith(prefix(run.rollout.id))) return deployment;
  }
  return undefined;
}
