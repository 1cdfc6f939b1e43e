/**
 * The query bar: text, completion of fields, values, pipes and functions, and
 * the place of a mistake. Enter runs; the URL then holds the query.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { FieldInfo } from "../../../workers/api/contract.ts";
import { completeAt } from "../../../workers/query/language/complete.ts";
import { type ApiFailure, api } from "../api/client.ts";
import type { RangeText } from "../lib/range.ts";
import { type Suggestion, suggestFields, suggestValues, suggestWords } from "../lib/suggest.ts";
import { Icon } from "./icons.tsx";
import { SyntaxHelp } from "./syntax-help.tsx";

/** Typing faster than this asks for no values in between. */
const VALUES_DELAY_MS = 120;

const EXAMPLE = 'Filter events, e.g. script:shop status:>=500 "card declined" | stats count() by route';

interface Props {
  query: string;
  range: RangeText;
  failure: ApiFailure | undefined;
  onRun: (q: string) => void;
  /** Only the part in front of the first pipe has a sense here; an example of it. */
  filterOnly?: string;
}

interface Offer {
  /** The text that it completes: typing on makes it stale. */
  text: string;
  items: Suggestion[];
  from: number;
  to: number;
}

/** Fields of the range, loaded on first focus. */
function useFields({ from, to }: RangeText): () => Promise<FieldInfo[]> {
  const cache = useRef<{ key: string; fields: Promise<FieldInfo[]> } | null>(null);
  return () => {
    const key = `${from} ${to}`;
    if (cache.current?.key !== key)
      cache.current = {
        key,
        fields: api.fields({ from, to }).then(
          (a) => a.fields,
          () => [],
        ),
      };
    return cache.current.fields;
  };
}

async function offerFor(
  text: string,
  cursor: number,
  fields: () => Promise<FieldInfo[]>,
  range: RangeText,
  filterOnly: boolean,
  signal: AbortSignal,
): Promise<Offer> {
  const at = completeAt(text, cursor);
  const place = { text, from: at.from, to: at.to };
  if (at.kind === "field") return { ...place, items: suggestFields(await fields(), text, at.prefix, at.from) };
  if (at.kind === "pipe" || at.kind === "function")
    return { ...place, items: filterOnly ? [] : suggestWords(at.kind, at.prefix) };
  if (at.kind === "value" && at.field !== undefined) {
    const answer = await api.fieldValues(at.field, range, at.prefix, signal);
    return { ...place, items: suggestValues(answer.values, at.prefix) };
  }
  return { ...place, items: [] };
}

function Mistake({ text, failure }: { text: string; failure: ApiFailure }) {
  const position = (failure.details as { position?: unknown } | undefined)?.position;
  return (
    <div class="query-error" role="alert">
      <span class="bad">{failure.message}</span>
      {typeof position === "number" && (
        <code class="cut" aria-hidden="true">
          {text.slice(Math.max(0, position - 24), position)}
          <mark>{text.slice(position, position + 1) || " "}</mark>
          {text.slice(position + 1, position + 40)}
        </code>
      )}
    </div>
  );
}

export function QueryBar({ query, range, failure, onRun, filterOnly }: Props) {
  const [text, setText] = useState(query);
  const [offer, setOffer] = useState<Offer | null>(null);
  const [chosen, setChosen] = useState(-1);
  const input = useRef<HTMLTextAreaElement>(null);
  const asked = useRef<AbortController | null>(null);
  /** Tab came before the offer: the first one is taken when it is there. */
  const eager = useRef(false);
  const fields = useFields(range);

  useEffect(() => {
    setText(query);
    setOffer(null);
  }, [query]);

  const close = () => {
    eager.current = false;
    asked.current?.abort();
    setOffer(null);
    setChosen(-1);
  };

  const ask = (value: string, cursor: number) => {
    asked.current?.abort();
    const controller = new AbortController();
    asked.current = controller;
    const delay = completeAt(value, cursor).kind === "value" ? VALUES_DELAY_MS : 0;
    setTimeout(async () => {
      if (controller.signal.aborted) return;
      try {
        const next = await offerFor(value, cursor, fields, range, filterOnly !== undefined, controller.signal);
        if (controller.signal.aborted) return;
        const typed = value.slice(next.from, next.to);
        const only = next.items.length === 1 && next.items[0]?.insert.trim() === typed;
        setChosen(-1);
        if (eager.current && next.items[0] !== undefined) take(next, next.items[0]);
        else setOffer(next.items.length === 0 || only ? null : next);
      } catch {
        // Completion is a help, not a need: without an answer there is none.
        setOffer(null);
      }
    }, delay);
  };

  const take = (offer: Offer, item: Suggestion) => {
    const next = offer.text.slice(0, offer.from) + item.insert + offer.text.slice(offer.to);
    const cursor = offer.from + item.insert.length;
    setText(next);
    close();
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(cursor, cursor);
    });
    if (item.again) ask(next, cursor);
  };

  const choose = (index: number) => {
    const item = offer?.items[index];
    if (offer === null || item === undefined) return;
    if (offer.text === text) take(offer, item);
    else eager.current = true;
  };

  const run = () => {
    close();
    onRun(text.trim());
  };

  const append = (code: string) => {
    setText((t) => (t.trim() === "" ? code : code.startsWith("|") ? `${t.trim()} ${code}` : `${code} ${t.trim()}`));
    input.current?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const n = offer?.items.length ?? 0;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (n === 0) {
        if (event.key === "ArrowDown" && input.current !== null) {
          event.preventDefault();
          ask(text, input.current.selectionStart);
        }
        return;
      }
      event.preventDefault();
      setChosen((c) => (event.key === "ArrowDown" ? (c + 1) % n : (c - 1 + n) % n));
    } else if (event.key === "Tab" && n > 0 && !event.shiftKey) {
      event.preventDefault();
      choose(Math.max(0, chosen));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (chosen >= 0 && n > 0) choose(chosen);
      else run();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (offer !== null) close();
      else input.current?.blur();
    }
  };

  return (
    <div class="query">
      <form
        class="query-bar"
        onSubmit={(e) => {
          e.preventDefault();
          run();
        }}
      >
        <Icon name="search" />
        <textarea
          id="query"
          ref={input}
          class="mono"
          rows={1}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-label={filterOnly === undefined ? "Query" : "Filter"}
          aria-controls="query-offer"
          aria-autocomplete="list"
          aria-activedescendant={chosen >= 0 ? `offer-${chosen}` : undefined}
          aria-invalid={failure !== undefined}
          placeholder={filterOnly ?? EXAMPLE}
          value={text}
          onInput={(e) => {
            const value = e.currentTarget.value.replaceAll("\n", " ");
            setText(value);
            eager.current = false;
            ask(value, e.currentTarget.selectionStart);
          }}
          onKeyDown={onKeyDown}
          onBlur={close}
        />
        {text !== "" && (
          <button
            type="button"
            class="icon-btn"
            aria-label={filterOnly === undefined ? "Clear the query" : "Clear the filter"}
            title="Clear"
            onClick={() => {
              setText("");
              onRun("");
            }}
          >
            <Icon name="close" />
          </button>
        )}
        <SyntaxHelp onTake={append} filterOnly={filterOnly !== undefined} />
        <button type="submit" class="btn primary">
          {filterOnly === undefined ? "Run" : "Filter"}
        </button>
      </form>
      {offer !== null && (
        <ul id="query-offer" class="offer" role="listbox" aria-label="Completions">
          {offer.items.map((item, i) => (
            <li
              key={item.label}
              id={`offer-${i}`}
              role="option"
              class="offer-item"
              aria-selected={i === chosen}
              onPointerDown={(e) => {
                e.preventDefault();
                choose(i);
              }}
            >
              <span class="mono cut">{item.label}</span>
              <span class="small faint cut">{item.detail}</span>
            </li>
          ))}
        </ul>
      )}
      {failure !== undefined && <Mistake text={query} failure={failure} />}
    </div>
  );
}
