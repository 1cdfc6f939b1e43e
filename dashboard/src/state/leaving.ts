/**
 * Leaving a form that holds something unsaved: links, the keys that lead to other
 * pages, the browser's back button and closing the tab all ask first. The form
 * says what it would lose (`useUnsaved`), components/leave-dialog.tsx asks.
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { guardNavigation, navigate, type Wanted } from "./location.ts";

export const wantsToLeave = signal<Wanted | undefined>(undefined);

let guarded = false;

function ask(wanted: Wanted): void {
  wantsToLeave.value = wanted;
}

export function stay(): void {
  wantsToLeave.value = undefined;
}

/** Nothing is asked any more: saved, or one does not mind. */
export function letGo(): void {
  guarded = false;
  guardNavigation(undefined);
}

export function leave(): void {
  const wanted = wantsToLeave.value;
  stay();
  letGo();
  if (wanted === "back") history.back();
  else if (wanted !== undefined) navigate(wanted.to);
}

/** Before the router sees it: its own listeners stand on the same window, without capture. */
function onClick(event: MouseEvent): void {
  if (!guarded || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.button !== 0) return;
  const link = event.composedPath().find((e): e is HTMLAnchorElement => e instanceof HTMLAnchorElement);
  const href = link?.getAttribute("href");
  if (link === undefined || href == null || href.startsWith("#") || link.hasAttribute("download")) return;
  if (link.origin !== window.location.origin || (link.target !== "" && link.target !== "_self")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask({ to: link.pathname + link.search });
}

function onUnload(event: BeforeUnloadEvent): void {
  if (guarded) event.preventDefault();
}

export function useUnsaved(unsaved: boolean): void {
  useEffect(() => {
    if (!unsaved) return;
    guarded = true;
    guardNavigation({ at: window.location.pathname + window.location.search, ask });
    window.addEventListener("click", onClick, true);
    window.addEventListener("beforeunload", onUnload);
    return () => {
      letGo();
      stay();
      window.removeEventListener("click", onClick, true);
      window.removeEventListener("beforeunload", onUnload);
    };
  }, [unsaved]);
}
