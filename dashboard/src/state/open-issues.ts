/** How many issues are open, for the navigation. Asked again when one changes, and now and then. */
import { effect, signal } from "@preact/signals";
import { issuesApi } from "../api/issues.ts";
import { issueChanges } from "./issue-changes.ts";
import { session } from "./session.ts";

const EVERY_MS = 60_000;
/** Several changes at once are one question. */
const SETTLE_MS = 300;

export const openIssues = signal<number | undefined>(undefined);

async function ask(): Promise<void> {
  try {
    const { states } = await issuesApi.list({}, { from: "-1h", to: "now" }, 1);
    openIssues.value = states.unresolved + states.regressed;
  } catch {
    // The last count stays; a page that matters says what is wrong.
  }
}

effect(() => {
  if (session.value === undefined || session.value === null) return;
  issueChanges.value;
  const soon = setTimeout(() => void ask(), SETTLE_MS);
  const timer = setInterval(() => {
    if (!document.hidden) void ask();
  }, EVERY_MS);
  return () => {
    clearTimeout(soon);
    clearInterval(timer);
  };
});
