/** Which Workers: all, or some of those known and patterns of names; and which not. */
import { useState } from "preact/hooks";
import type { Draft, Problems } from "../../lib/destination-draft.ts";
import { matches, wants } from "../../lib/integrations.ts";
import { NamesInput } from "./names-input.tsx";

/** From here on one searches rather than looks. */
const SEARCH_FROM = 9;

interface Props {
  draft: Draft;
  problems: Problems;
  known: readonly string[];
  onChange: (part: Partial<Draft>) => void;
}

interface CheckListProps {
  names: readonly string[];
  chosen: readonly string[];
  /** Of those not chosen by name: a pattern takes them along. */
  also?: (name: string) => boolean;
  onChange: (chosen: string[]) => void;
  label: string;
}

export function WorkerCheckList({ names, chosen, also = () => false, onChange, label }: CheckListProps) {
  const [search, setSearch] = useState("");
  const shown = names.filter((n) => n.includes(search.trim()));
  return (
    <fieldset class="worker-list">
      <legend class="sr">{label}</legend>
      {names.length >= SEARCH_FROM && (
        <input
          class="input"
          type="search"
          aria-label="Search Workers"
          placeholder={`Search ${names.length} Workers`}
          value={search}
          onInput={(e) => setSearch(e.currentTarget.value)}
        />
      )}
      <ul>
        {shown.map((name) => {
          const byName = chosen.includes(name);
          const byPattern = !byName && also(name);
          return (
            <li key={name}>
              <label class="check">
                <input
                  type="checkbox"
                  checked={byName || byPattern}
                  disabled={byPattern}
                  onChange={(e) =>
                    onChange(e.currentTarget.checked ? [...chosen, name] : chosen.filter((c) => c !== name))
                  }
                />
                <span class="cut">{name}</span>
                {byPattern && <span class="small faint">by a pattern</span>}
              </label>
            </li>
          );
        })}
      </ul>
      {shown.length === 0 && <p class="small muted">No Worker of that name.</p>}
    </fieldset>
  );
}

export function WorkersChoice({ draft, problems, known, onChange }: Props) {
  const { allWorkers, workers, exceptWorkers } = draft;
  const patterns = workers.filter((w) => !known.includes(w));
  const nobody = !allWorkers && workers.length === 0;
  const taken = nobody
    ? 0
    : known.filter((name) => wants({ workers: allWorkers ? [] : workers, exceptWorkers }, name)).length;
  return (
    <fieldset class="choice-set">
      <legend>Workers</legend>
      <label class="check">
        <input type="radio" name="workers" checked={allWorkers} onChange={() => onChange({ allWorkers: true })} />
        <span>
          All of them <span class="muted">and those that come</span>
        </span>
      </label>
      <label class="check">
        <input type="radio" name="workers" checked={!allWorkers} onChange={() => onChange({ allWorkers: false })} />
        Some
      </label>
      {!allWorkers && (
        <div class="choice-inner">
          {known.length > 0 && (
            <WorkerCheckList
              names={known}
              chosen={workers}
              also={(name) => patterns.some((p) => matches(p, name))}
              onChange={(next) => onChange({ workers: next })}
              label="Workers to choose"
            />
          )}
          <div class="field">
            <label class="small muted" for="f-workers">
              Others, by name or pattern
            </label>
            <NamesInput
              id="f-workers"
              label="Names and patterns of Workers"
              names={patterns}
              placeholder="shop-*"
              describedBy="f-workers-notes"
              invalid={problems.workers !== undefined}
              onChange={(next) => onChange({ workers: [...workers.filter((w) => known.includes(w)), ...next] })}
            />
          </div>
        </div>
      )}
      <div class="field except">
        <label class="small muted" for="f-except">
          Except
        </label>
        <NamesInput
          id="f-except"
          label="Workers that are left out, names and patterns"
          names={exceptWorkers}
          placeholder="none"
          invalid={problems.exceptWorkers !== undefined}
          onChange={(next) => onChange({ exceptWorkers: next })}
        />
      </div>
      <p class="small" id="f-workers-notes">
        {(problems.workers ?? problems.exceptWorkers) !== undefined ? (
          <span class="bad">{problems.workers ?? problems.exceptWorkers}</span>
        ) : (
          known.length > 0 && (
            <span class="faint">
              {taken} of {known.length} known Workers; <code>*</code> stands for any characters
            </span>
          )
        )}
      </p>
    </fieldset>
  );
}
