/** What is wrong with a form: found here before it is sent, said by the server after; a field that is changed is not wrong any more. */
import { useState } from "preact/hooks";
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import type { Problems } from "../../lib/destination-draft.ts";

/** The server speaks of fields by their names, forms of where they stand. */
export const atFields = (entry: CatalogEntry, problems: Record<string, string>): Problems =>
  Object.fromEntries(
    Object.entries(problems).map(([name, what]) => [
      entry.fields.some((f) => f.name === name) ? `values.${name}` : name,
      what,
    ]),
  );

export function problemsOf(entry: CatalogEntry, failure: ApiFailure): Problems {
  const { problems } = (failure.details ?? {}) as { problems?: unknown };
  if (typeof problems !== "object" || problems === null) return {};
  return atFields(entry, problems as Record<string, string>);
}

/** The control of a problem: its id without the part that says where it stands. */
const controlOf = (where: string): string =>
  where === "feeds" ? "[id^=f-feed-]" : `[id="f-${where.replace(/^values\./, "")}"]`;

/** After the problems are drawn, so that what folds has opened. */
export function focusFirst(problems: Problems): void {
  const selector = Object.keys(problems).map(controlOf).join(",");
  if (selector === "") return;
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

export function useProblems() {
  const [problems, setProblems] = useState<Problems>({});
  return {
    problems,
    show: (found: Problems) => {
      setProblems(found);
      focusFirst(found);
    },
    clear: (where: string) =>
      setProblems((before) => {
        const rest = Object.entries(before).filter(([key]) => key !== where && !key.startsWith(`${where}.`));
        return rest.length === Object.keys(before).length ? before : Object.fromEntries(rest);
      }),
  };
}
