/** How much of it: rules in their order, the rate of the rest, the ceiling, and tags that go along. */
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import { type Draft, newRule, type Problems, type RuleDraft } from "../../lib/destination-draft.ts";
import { FEED_LABELS } from "../../lib/integrations.ts";
import { Icon } from "../icons.tsx";
import { Frame, framed } from "./fields.tsx";

interface Props {
  entry: CatalogEntry;
  draft: Draft;
  problems: Problems;
  onChange: (part: Partial<Draft>) => void;
}

const OUTCOMES = [
  "ok",
  "exception",
  "exceededCpu",
  "exceededMemory",
  "exceededWallTime",
  "canceled",
  "responseStreamDisconnected",
  "loadShed",
  "unknown",
];

interface RuleProps {
  entry: CatalogEntry;
  rule: RuleDraft;
  n: number;
  last: boolean;
  problems: Problems;
  onChange: (rule: RuleDraft) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

function Rule({ entry, rule, n, last, problems, onChange, onMove, onRemove }: RuleProps) {
  const wrong = (name: string) => problems[`sampling.${n}.${name}`];
  const text = (name: "status" | "outcome" | "exception", label: string, example: string) => (
    <label class="sample-cell">
      <span class="small faint">{label}</span>
      <input
        id={`f-sampling.${n}.${name}`}
        class="input mono"
        list={name === "outcome" ? "outcomes" : undefined}
        aria-invalid={wrong(name) === undefined ? undefined : "true"}
        aria-describedby={`f-sampling-${n}-notes`}
        placeholder={example}
        spellcheck={false}
        value={rule[name]}
        onInput={(e) => onChange({ ...rule, [name]: e.currentTarget.value })}
      />
    </label>
  );
  const messages = ["status", "percent"].map(wrong).filter((m) => m !== undefined);
  return (
    <li class="sample-rule">
      <fieldset>
        <legend class="sr">{`Rule ${n + 1}`}</legend>
        <label class="sample-cell">
          <span class="small faint">Kind</span>
          <select
            class="input"
            value={rule.feed}
            onChange={(e) => onChange({ ...rule, feed: e.currentTarget.value as RuleDraft["feed"] })}
          >
            <option value="">any</option>
            {entry.takes.map((f) => (
              <option key={f} value={f}>
                {FEED_LABELS[f]}
              </option>
            ))}
          </select>
        </label>
        {text("status", "Status", "any, 5xx, 404")}
        {text("outcome", "Outcome", "any")}
        {text("exception", "Exception type", "any, Timeout*")}
        <label class="sample-cell sample-rate">
          <span class="small faint">Send, %</span>
          <input
            id={`f-sampling.${n}.percent`}
            class="input num"
            inputMode="decimal"
            aria-invalid={wrong("percent") === undefined ? undefined : "true"}
            aria-describedby={`f-sampling-${n}-notes`}
            value={rule.percent}
            onInput={(e) => onChange({ ...rule, percent: e.currentTarget.value })}
          />
        </label>
        <span class="sample-buttons">
          <button
            type="button"
            class="icon-btn"
            aria-label={`Move rule ${n + 1} up`}
            disabled={n === 0}
            onClick={() => onMove(-1)}
          >
            <Icon name="up" />
          </button>
          <button
            type="button"
            class="icon-btn"
            aria-label={`Move rule ${n + 1} down`}
            disabled={last}
            onClick={() => onMove(1)}
          >
            <Icon name="chevron" />
          </button>
          <button type="button" class="icon-btn" aria-label={`Remove rule ${n + 1}`} onClick={onRemove}>
            <Icon name="close" />
          </button>
        </span>
      </fieldset>
      <p class="small bad" id={`f-sampling-${n}-notes`}>
        {messages.join(" ")}
      </p>
    </li>
  );
}

function moved<T>(list: readonly T[], from: number, by: number): T[] {
  const next = [...list];
  const [one] = next.splice(from, 1);
  if (one !== undefined) next.splice(from + by, 0, one);
  return next;
}

function Rules({ entry, draft, problems, onChange }: Props) {
  const { sampling } = draft;
  const set = (i: number, rule: RuleDraft) => onChange({ sampling: sampling.map((r, k) => (k === i ? rule : r)) });
  return (
    <div class="choice-set">
      <h3>Sampling</h3>
      {sampling.length > 0 && (
        <p class="small muted">
          From above: the first rule that fits decides. What is kept is decided by the invocation, so all of its lines
          are sent, or none.
        </p>
      )}
      <datalist id="outcomes">
        {OUTCOMES.map((o) => (
          <option key={o} value={o} />
        ))}
      </datalist>
      <ol class="sample-rules">
        {sampling.map((rule, i) => (
          <Rule
            key={rule.key}
            entry={entry}
            rule={rule}
            n={i}
            last={i === sampling.length - 1}
            problems={problems}
            onChange={(r) => set(i, r)}
            onMove={(by) => onChange({ sampling: moved(sampling, i, by) })}
            onRemove={() => onChange({ sampling: sampling.filter((_, k) => k !== i) })}
          />
        ))}
      </ol>
      <p class="small bad">{problems.sampling}</p>
      <div class="row sample-foot">
        <button type="button" class="btn" onClick={() => onChange({ sampling: [...sampling, newRule()] })}>
          <Icon name="plus" />
          Add a rule
        </button>
        <span class="grow" />
        <label class="row" for="f-otherwise">
          {sampling.length > 0 ? "Of all else send" : "Send"}
          <input
            {...framed("f-otherwise", problems.otherwise)}
            class="input num short"
            inputMode="decimal"
            value={draft.otherwise}
            onInput={(e) => onChange({ otherwise: e.currentTarget.value })}
          />
          %
        </label>
      </div>
      <p class="small bad" id="f-otherwise-notes">
        {problems.otherwise}
      </p>
    </div>
  );
}

/** Notices are few and each counts: where nothing else is taken there is nothing to sample. */
const isSampled = (entry: CatalogEntry): boolean => entry.takes.some((feed) => feed !== "notices");

export function Sampling(props: Props) {
  const { entry, draft, problems, onChange } = props;
  return (
    <>
      {isSampled(entry) && <Rules {...props} />}
      <Frame
        id="f-perMinute"
        label="At most"
        help="Items per minute of the events' own time; what is above is dropped and counted. Empty: no ceiling."
        problem={problems.perMinute}
      >
        <span class="row">
          <input
            {...framed("f-perMinute", problems.perMinute)}
            class="input num medium"
            inputMode="numeric"
            placeholder="no ceiling"
            value={draft.perMinute}
            onInput={(e) => onChange({ perMinute: e.currentTarget.value })}
          />
          <span class="muted">per minute</span>
        </span>
      </Frame>
    </>
  );
}

export function Tags({ draft, problems, onChange }: Omit<Props, "entry">) {
  const { tags } = draft;
  const set = (i: number, part: Partial<Draft["tags"][number]>) =>
    onChange({ tags: tags.map((t, k) => (k === i ? { ...t, ...part } : t)) });
  return (
    <fieldset class="choice-set">
      <legend>Tags that go along</legend>
      <p class="small bad">{problems.tags}</p>
      {tags.map((tag, i) => (
        <div key={i}>
          <div class="row tag-row">
            <input
              id={`f-tags.${i}`}
              class="input mono"
              aria-label={`Tag ${i + 1}, name`}
              aria-describedby={`f-tags-${i}-notes`}
              placeholder="team"
              value={tag.key}
              onInput={(e) => set(i, { key: e.currentTarget.value })}
            />
            <input
              class="input mono"
              aria-label={`Tag ${i + 1}, value`}
              placeholder="checkout"
              value={tag.value}
              onInput={(e) => set(i, { value: e.currentTarget.value })}
            />
            <button
              type="button"
              class="icon-btn"
              aria-label={`Remove tag ${i + 1}`}
              onClick={() => onChange({ tags: tags.filter((_, k) => k !== i) })}
            >
              <Icon name="close" />
            </button>
          </div>
          <p class="small bad" id={`f-tags-${i}-notes`}>
            {problems[`tags.${i}`]}
          </p>
        </div>
      ))}
      <div>
        <button type="button" class="btn" onClick={() => onChange({ tags: [...tags, { key: "", value: "" }] })}>
          <Icon name="plus" />
          Add a tag
        </button>
      </div>
    </fieldset>
  );
}
