/** The versions that have the issue: how often, until when, and whether their source maps are there. A click shows that version alone. */
import type { IssueAnswer } from "../../../../workers/api/contract.ts";
import { count, full, roughly } from "../../lib/format.ts";
import { query, setQuery } from "../../state/location.ts";
import { Version } from "../version.tsx";

const SHOWN = 6;

export function VersionList({ answer, now }: { answer: IssueAnswer; now: number }) {
  const { versions } = answer;
  // A map is missed where there is a stack that it would lead back.
  const waiting = new Set(answer.fingerprints.map((f) => f.awaitsMap));
  const chosen = query.value.version;
  return (
    <ul class="issue-version-list" aria-label="Versions">
      {versions.slice(0, SHOWN).map((v) => (
        <li key={v.id}>
          <button
            type="button"
            aria-pressed={v.id === chosen}
            title={v.id === chosen ? "Show all versions" : "Show this version alone"}
            onClick={() => setQuery({ version: v.id === chosen ? undefined : v.id, at: undefined }, true)}
          >
            <Version id={v.id} tag={v.tag} message={v.message} showMessage />
            <span class="grow" />
            {v.id !== "" && !v.hasSourceMap && waiting.has(v.id) && (
              <span class="small warn" title="No source map of this version">
                no map
              </span>
            )}
            <span class="num">{count(v.count)}</span>
            <span class="num small faint version-last" title={`${full(v.firstSeen)} – ${full(v.lastSeen)}`}>
              {roughly(now - v.lastSeen)} ago
            </span>
          </button>
        </li>
      ))}
      {versions.length > SHOWN && <li class="small faint">and {versions.length - SHOWN} older versions</li>}
    </ul>
  );
}
