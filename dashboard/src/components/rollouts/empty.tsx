/** Where no rollout is: how to begin one, or what to do first. */
import { maySteer } from "../../lib/rollouts.ts";
import { setQuery } from "../../state/location.ts";
import { session } from "../../state/session.ts";
import { Icon } from "../icons.tsx";
import { Snippet } from "../states.tsx";

export const START_LINE = "npx tailrace deploy --gradual";

export function NotConnected({ problem }: { problem: string | null }) {
  const isAdmin = session.value?.scope === "admin";
  return (
    <p class="notice warn">
      <Icon name="alert" />
      <span class="grow">
        {problem ?? "No Cloudflare account is connected: Tailrace can neither start a rollout nor take one back."}{" "}
        {isAdmin ? (
          <a class="link" href="/settings/cloudflare">
            {problem === null ? "Connect the account" : "Look at the connection"}
          </a>
        ) : (
          "Somebody with a token of scope admin connects it under Settings."
        )}
      </span>
    </p>
  );
}

export function NoMatch() {
  return (
    <div class="state">
      <h2>No rollout matches</h2>
      <p class="muted">Take a filter away.</p>
      <button type="button" class="btn" onClick={() => setQuery({ script: undefined, state: undefined })}>
        Clear the filters
      </button>
    </div>
  );
}

export function NoRollouts({ onStart, canStart }: { onStart: () => void; canStart: boolean }) {
  const may = maySteer(session.value?.scope);
  return (
    <div class="state">
      <h2>No rollout yet</h2>
      <p class="muted">
        A new version gets 1 % of the traffic, then more, step by step. Tailrace compares it with the old one in the
        same minutes: it goes on while the new one is not worse, and takes it back by itself when it is. Splits that
        somebody makes in another way show up here too, and are watched.
      </p>
      <p>From a Worker's folder, in place of wrangler deploy:</p>
      <Snippet code={START_LINE} />
      {may ? (
        <>
          <p>Or with a version that is uploaded already:</p>
          <button type="button" class="btn primary" onClick={onStart} disabled={!canStart}>
            Start a rollout
          </button>
        </>
      ) : (
        <p class="muted">To start one takes a token of scope deploy.</p>
      )}
    </div>
  );
}
