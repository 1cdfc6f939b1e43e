/** The documentation of an integration, beside its form; on a phone, folded above it. */
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import { Markdown } from "../integrations/markdown.tsx";

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname.replace(/^www\./, "") : url);

const WIDE = window.matchMedia("(min-width: 1001px)");

export function Docs({ entry }: { entry: CatalogEntry }) {
  return (
    <aside class="setup-docs" aria-label={`About ${entry.name}`}>
      <details open={WIDE.matches}>
        <summary>About {entry.name}</summary>
        <Markdown source={entry.documentation} />
        {entry.takes.length > 0 && (
          <p class="small faint">
            {entry.idempotent
              ? "What comes twice is left out by the receiver, by its id."
              : "Each item is delivered at least once; after an outage one may come twice."}
          </p>
        )}
        {entry.website !== "" && (
          <p>
            <a class="link" href={entry.website} target="_blank" rel="noreferrer">
              {hostOf(entry.website)}
            </a>
          </p>
        )}
      </details>
    </aside>
  );
}
