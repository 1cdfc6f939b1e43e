/** What one does to a rollout: sent at once, told in a toast, and the pages read again. */
import type { RolloutCommand } from "../../../workers/api/contract.ts";
import { type RolloutVerb, rolloutsApi } from "../api/rollouts.ts";
import { asFailure } from "./resource.ts";
import { rolloutMoved } from "./rollout-changes.ts";
import { toast } from "./toasts.ts";

interface Of {
  id: string;
  script: string;
}

const SAID: Record<RolloutVerb, string> = {
  promote: "Promoted",
  pause: "Paused",
  resume: "Goes on",
  abort: "Asked to take it back",
};

/** False when it did not go through. A pause is taken back by going on, and the other way round. */
export async function steer(of: Of, verb: RolloutVerb, command: RolloutCommand, said = SAID[verb]): Promise<boolean> {
  try {
    await rolloutsApi.command(of, verb, command);
    const back = verb === "pause" ? "resume" : verb === "resume" ? "pause" : undefined;
    const undo = back && { label: "Undo", run: () => void steer(of, back, {}) };
    toast({ text: `${said}: ${of.script}`, ...(undo === undefined ? {} : { action: undo }) });
    return true;
  } catch (error) {
    toast({ text: asFailure(error).message, tone: "bad" });
    return false;
  } finally {
    rolloutMoved();
  }
}
