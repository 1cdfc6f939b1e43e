/** On a Worker's page: opens the dialog that starts a rollout of it, a chunk of its own that is read when somebody asks for it. */
import { useState } from "preact/hooks";
import { maySteer } from "../../lib/rollouts.ts";
import { asFailure } from "../../state/resource.ts";
import { session } from "../../state/session.ts";
import { toast } from "../../state/toasts.ts";
import { Icon } from "../icons.tsx";

type Dialog = typeof import("./start-dialog.tsx")["StartDialog"];

export function StartButton({ script }: { script: string }) {
  const [Open, setOpen] = useState<Dialog>();
  if (!maySteer(session.value?.scope)) return null;
  const open = () =>
    import("./start-dialog.tsx").then(
      ({ StartDialog }) => setOpen(() => StartDialog),
      (error: unknown) => toast({ text: asFailure(error).message, tone: "bad" }),
    );
  return (
    <>
      <button type="button" class="btn" aria-label="Start a rollout" onClick={() => void open()}>
        <Icon name="rollout" />
        <span class="hide-phone">Start a rollout</span>
      </button>
      {Open !== undefined && <Open script={script} fixed onClose={() => setOpen(undefined)} />}
    </>
  );
}
