/** What kinds are sent, from which level and of which notices. */
import type { CatalogEntry, Feed } from "../../../../workers/api/contract.ts";
import type { Draft, Problems } from "../../lib/destination-draft.ts";
import { FEED_LABELS, FEED_NOTES, LEVELS, NOTICE_KINDS, NOTICE_LABELS } from "../../lib/integrations.ts";

interface Props {
  entry: CatalogEntry;
  draft: Draft;
  problems: Problems;
  onChange: (part: Partial<Draft>) => void;
}

const LEVEL_LABELS: Record<Draft["minLevel"], string> = {
  debug: "all levels",
  info: "info and above",
  warn: "warnings and errors",
  error: "errors only",
};

/** In the catalog's order, whatever was ticked first. */
const toggled = <T,>(order: readonly T[], chosen: readonly T[], one: T, on: boolean): T[] =>
  order.filter((o) => (o === one ? on : chosen.includes(o)));

function Notices({ draft, onChange }: Pick<Props, "draft" | "onChange">) {
  const chosen = draft.notices.length === 0 ? NOTICE_KINDS : draft.notices;
  return (
    <fieldset class="choice-inner notice-kinds">
      <legend class="sr">Kinds of notices</legend>
      {NOTICE_KINDS.map((kind) => (
        <label key={kind} class="check">
          <input
            type="checkbox"
            checked={chosen.includes(kind)}
            onChange={(e) => {
              const next = toggled(NOTICE_KINDS, chosen, kind, e.currentTarget.checked);
              // None would be all again: the last one stays.
              if (next.length > 0) onChange({ notices: next.length === NOTICE_KINDS.length ? [] : next });
              else e.currentTarget.checked = true;
            }}
          />
          {NOTICE_LABELS[kind]}
        </label>
      ))}
    </fieldset>
  );
}

export function FeedsChoice({ entry, draft, problems, onChange }: Props) {
  const toggle = (feed: Feed, on: boolean) => onChange({ feeds: toggled(entry.takes, draft.feeds, feed, on) });
  return (
    <fieldset class="choice-set" aria-describedby="f-feeds-notes">
      <legend>Kinds</legend>
      {entry.takes.map((feed) => (
        <div key={feed}>
          <div class="feed-choice">
            <label class="check">
              <input
                id={`f-feed-${feed}`}
                type="checkbox"
                checked={draft.feeds.includes(feed)}
                onChange={(e) => toggle(feed, e.currentTarget.checked)}
              />
              <span>
                {FEED_LABELS[feed]} <span class="muted">{FEED_NOTES[feed]}</span>
              </span>
            </label>
            {feed === "logs" && draft.feeds.includes("logs") && (
              <select
                class="input level-choice"
                aria-label="Logs from which level on"
                value={draft.minLevel}
                onChange={(e) => onChange({ minLevel: e.currentTarget.value as Draft["minLevel"] })}
              >
                {LEVELS.map((level) => (
                  <option key={level} value={level}>
                    {LEVEL_LABELS[level]}
                  </option>
                ))}
              </select>
            )}
          </div>
          {feed === "notices" && draft.feeds.includes("notices") && <Notices draft={draft} onChange={onChange} />}
        </div>
      ))}
      <p class="small bad" id="f-feeds-notes">
        {problems.feeds}
      </p>
    </fieldset>
  );
}
