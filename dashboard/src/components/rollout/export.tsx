/** The record for the incident report: to the clipboard, or as a file. */
import { useState } from "preact/hooks";
import type { Rollout } from "../../../../workers/api/contract.ts";
import { rolloutsApi } from "../../api/rollouts.ts";
import { asFailure } from "../../state/resource.ts";
import { toast } from "../../state/toasts.ts";
import { Icon } from "../icons.tsx";

export function Export({ rollout }: { rollout: Rollout }) {
  const [busy, setBusy] = useState(false);
  const copy = async () => {
    setBusy(true);
    try {
      await navigator.clipboard.writeText(await rolloutsApi.evidence(rollout));
      toast({ text: "Copied the record as Markdown" });
    } catch (error) {
      const refused = error instanceof DOMException;
      toast({
        text: refused ? "The browser does not allow to copy. Download it instead." : asFailure(error).message,
        tone: "bad",
      });
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" class="btn quiet" disabled={busy} onClick={() => void copy()}>
        <Icon name="copy" />
        <span class="hide-phone">Copy as Markdown</span>
        <span class="only-phone">Copy</span>
      </button>
      <a
        class="icon-btn"
        href={rolloutsApi.evidenceHref(rollout)}
        download={`rollout-${rollout.script}-${rollout.id}.md`}
        aria-label="Download the record"
        title="Download the record as Markdown"
      >
        <Icon name="download" />
      </a>
    </>
  );
}
