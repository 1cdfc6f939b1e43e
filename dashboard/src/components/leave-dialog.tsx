/** Asks before what is not saved is lost (state/leaving.ts). */
import { leave, stay, wantsToLeave } from "../state/leaving.ts";
import { Dialog } from "./dialog.tsx";

export function LeaveDialog() {
  if (wantsToLeave.value === undefined) return null;
  return (
    <Dialog title="Leave without saving?" onClose={stay}>
      <div class="dialog-body ask">
        <p>What you filled in here is not stored anywhere yet.</p>
        <div class="row ask-buttons">
          <button type="button" class="btn primary" autofocus onClick={stay}>
            Stay
          </button>
          <button type="button" class="btn danger" onClick={leave}>
            Leave, and lose it
          </button>
        </div>
      </div>
    </Dialog>
  );
}
