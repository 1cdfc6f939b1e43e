/** What the settings forms share: a labelled field, the state of a save, and the way it is shown. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiFailure } from "../../api/client.ts";
import { asFailure } from "../../state/resource.ts";
import { Icon } from "../icons.tsx";

export function Field({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label class="field">
      <span class="field-label">{label}</span>
      {children}
      {hint !== undefined && <span class="small faint">{hint}</span>}
    </label>
  );
}

/** What was written one per line, or with commas. */
export const namesIn = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== "");

export interface Saving {
  busy: boolean;
  saved: boolean;
  failure: ApiFailure | undefined;
  save: (work: () => Promise<unknown>) => Promise<boolean>;
  touch: () => void;
}

export function useSaving(): Saving {
  const [state, setState] = useState<{ busy: boolean; saved: boolean; failure?: ApiFailure }>({
    busy: false,
    saved: false,
  });
  return {
    busy: state.busy,
    saved: state.saved,
    failure: state.failure,
    touch: () => setState((s) => (s.saved ? { busy: false, saved: false } : s)),
    save: async (work) => {
      setState({ busy: true, saved: false });
      try {
        await work();
        setState({ busy: false, saved: true });
        return true;
      } catch (error) {
        setState({ busy: false, saved: false, failure: asFailure(error) });
        return false;
      }
    },
  };
}

export function SaveRow({ saving, label = "Save" }: { saving: Saving; label?: string }) {
  return (
    <div class="row save-row">
      <button type="submit" class="btn primary" disabled={saving.busy}>
        {label}
      </button>
      <span role="status" class="small">
        {saving.failure !== undefined && <span class="bad">{saving.failure.message}</span>}
        {saving.saved && (
          <span class="good row">
            <Icon name="check" />
            Saved
          </span>
        )}
      </span>
    </div>
  );
}
