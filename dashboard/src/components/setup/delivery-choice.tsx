/** Who steps in when it is down, whether it only steps in itself, and what of the past is sent as well. */
import type { CatalogEntry, DestinationRow } from "../../../../workers/api/contract.ts";
import { BACKFILLS, type Backfill, type Draft } from "../../lib/destination-draft.ts";
import { Frame, framed } from "./fields.tsx";

interface Props {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

interface FailoverProps extends Props {
  /** Itself left out. */
  others: DestinationRow[];
  catalog: ReadonlyMap<string, CatalogEntry>;
  problem: string | undefined;
}

export function FailoverChoice({ draft, onChange, others, catalog, problem }: FailoverProps) {
  const fitting = others.filter((o) => catalog.get(o.integration)?.takes.some((f) => draft.feeds.includes(f)));
  return (
    <>
      <Frame
        id="f-failoverTo"
        problem={problem}
        label="When it is down or slow, send to"
        help={
          fitting.length === 0
            ? "Another destination can step in. Set one up first; it can be one that is only used for this."
            : "The other one carries what comes meanwhile. When this one is well again, it gets all that it missed."
        }
      >
        <select
          {...framed("f-failoverTo", problem)}
          class="input"
          value={draft.failoverTo}
          disabled={fitting.length === 0}
          onChange={(e) => onChange({ failoverTo: e.currentTarget.value })}
        >
          <option value="">nobody: it waits, and catches up</option>
          {fitting.map((o) => (
            <option key={o.id} value={o.id}>
              {o.name} ({catalog.get(o.integration)?.name ?? o.integration}
              {o.standby ? ", standby" : ""})
            </option>
          ))}
        </select>
      </Frame>
      <label class="check">
        <input
          type="checkbox"
          checked={draft.standby}
          onChange={(e) => onChange({ standby: e.currentTarget.checked })}
        />
        <span>
          Standby <span class="muted">it only carries what others fail to deliver</span>
        </span>
      </label>
    </>
  );
}

const BACKFILL_LABELS: Record<Backfill, [string, string]> = {
  none: ["From now on", ""],
  "1h": ["The last hour, too", ""],
  "24h": ["The last 24 hours, too", ""],
  "7d": ["The last 7 days, too", "as far as it is still stored"],
};

export function BackfillChoice({ draft, onChange }: Props) {
  return (
    <fieldset class="choice-set" disabled={draft.standby}>
      <legend>Begin with</legend>
      {BACKFILLS.map((choice) => {
        const [label, note] = BACKFILL_LABELS[choice];
        return (
          <label key={choice} class="check">
            <input
              type="radio"
              name="backfill"
              checked={!draft.standby && draft.backfill === choice}
              onChange={() => onChange({ backfill: choice })}
            />
            <span>
              {label} {note !== "" && <span class="muted">{note}</span>}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
