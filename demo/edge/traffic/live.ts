/** The live deployments, as the edge remembers them: for half a second, as propagation at the real edge takes a moment too. */
import type { Live } from "../account/types.ts";
import { type EdgeEnv, registryOf } from "../env.ts";

const PROPAGATION_MS = 500;

let remembered: { at: number; live: Promise<Live> } | undefined;

export async function readLive(env: EdgeEnv): Promise<Live> {
  if (remembered === undefined || Date.now() - remembered.at > PROPAGATION_MS) {
    remembered = { at: Date.now(), live: registryOf(env).live() };
  }
  const asked = remembered;
  try {
    return await asked.live;
  } catch (error) {
    if (remembered === asked) remembered = undefined;
    throw error;
  }
}

/** After a change that went through this isolate. */
export function forgetLive(): void {
  remembered = undefined;
}
