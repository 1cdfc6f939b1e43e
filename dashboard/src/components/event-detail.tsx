/** One event with every attribute. A click on a value filters in or out, or groups by its field. */
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import type { EventJson } from "../../../workers/api/contract.ts";
import { attributeField } from "../../../workers/query/language/ast.ts";
import { api } from "../api/client.ts";
import { type EventRef, isoToMs } from "../lib/event-row.ts";
import { full, withUnit } from "../lib/format.ts";
import { withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { EventStack } from "./event-stack.tsx";
import { Icon } from "./icons.tsx";
import { IssueLink } from "./issue-link.tsx";
import { CopyButton, Progress, RetryNotice } from "./states.tsx";
import { Version } from "./version.tsx";
import "../styles/event-detail.css";

export interface AttributeActions {
  onFilter: (field: string, value: string | number | boolean | null, exclude: boolean) => void;
  onGroup: (field: string) => void;
}

type Scalar = string | number | boolean;

/** Units of core fields; attributes carry theirs in their name. */
const UNITS: Record<string, string> = { duration: "ms", cpu_time: "ms" };
/** Shown on their own above the list. */
const SHOWN_ABOVE = new Set(["message", "stack", "mapped_stack", "attributes", "time"]);

/** Sorted, under the names that filters take. */
export function attributesOf(event: EventJson): [string, Scalar][] {
  return Object.entries(event.attributes ?? {})
    .map(([name, value]): [string, Scalar] => [attributeField(name), value])
    .sort(([a], [b]) => a.localeCompare(b));
}

export function fieldsOf(event: EventJson): [string, Scalar][] {
  const core = Object.entries(event).filter(
    ([name, value]) => !SHOWN_ABOVE.has(name) && value !== null && value !== undefined && typeof value !== "object",
  ) as [string, Scalar][];
  return core;
}

/** Long dotted names break at their dots, not inside a word. */
function Breakable({ name }: { name: string }) {
  return (
    <>
      {name.split(/(?<=[._])/).map((part, i) => (
        <Fragment key={`${i} ${part}`}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </>
  );
}

function AttributeRow({
  name,
  value,
  actions,
}: {
  name: string;
  value: Scalar;
  actions: AttributeActions | undefined;
}) {
  const unit = UNITS[name];
  const shown = unit === undefined ? String(value) : withUnit(value, unit);
  return (
    <li class="attr">
      <span class="attr-name" title={name}>
        <Breakable name={name} />
      </span>
      <span class="attr-value mono" title={shown === String(value) ? undefined : String(value)}>
        {shown}
      </span>
      {actions !== undefined && (
        <span class="attr-actions">
          <button
            type="button"
            class="icon-btn"
            aria-label={`Only ${name} ${shown}`}
            title="Filter in"
            onClick={() => actions.onFilter(name, value, false)}
          >
            <Icon name="plus" />
          </button>
          <button
            type="button"
            class="icon-btn"
            aria-label={`Without ${name} ${shown}`}
            title="Filter out"
            onClick={() => actions.onFilter(name, value, true)}
          >
            <Icon name="minus" />
          </button>
          <button
            type="button"
            class="icon-btn"
            aria-label={`Group by ${name}`}
            title="Group by"
            onClick={() => actions.onGroup(name)}
          >
            <Icon name="group" />
          </button>
        </span>
      )}
    </li>
  );
}

export function AttributeList({ entries, actions }: { entries: [string, Scalar][]; actions?: AttributeActions }) {
  return (
    <ul class="attrs">
      {entries.map(([name, value]) => (
        <AttributeRow key={name} name={name} value={value} actions={actions} />
      ))}
    </ul>
  );
}

/** Message, stack, fields and attributes. */
export function EventBody({ event, actions }: { event: EventJson; actions: AttributeActions }) {
  const attributes = attributesOf(event);
  const message = typeof event.message === "string" ? event.message : "";
  return (
    <>
      {message !== "" && (
        <pre class={`detail-message ${event.level === "error" ? "bad" : ""}`}>
          {event.kind === "exception" && typeof event.name === "string" ? `${event.name}: ` : ""}
          {message}
        </pre>
      )}
      <EventStack key={`${event.invocation_id} ${event.seq}`} event={event} class="detail-stack" />
      <h2>Fields</h2>
      <AttributeList entries={fieldsOf(event)} actions={actions} />
      {attributes.length > 0 && <h2>Attributes</h2>}
      <AttributeList entries={attributes} actions={actions} />
    </>
  );
}

interface Props {
  target: EventRef;
  actions: AttributeActions;
  onClose: () => void;
}

export function EventDetail({ target, actions, onClose }: Props) {
  const { data, error, loading, fresh, reload } = useResource(target.invocation, (signal) =>
    api.invocation(target.invocation, target.around, signal),
  );
  const event = data?.events.find((e) => e.seq === target.seq);
  useEffect(() => {
    document.getElementById("event-detail")?.scrollTo({ top: 0 });
  }, [target.invocation, target.seq]);
  return (
    <aside class="detail" aria-label="Event">
      <div class="detail-head">
        <div class="grow">
          <h2 class="cut">
            {event === undefined ? " " : event.kind}
            {event !== undefined && typeof event.level === "string" && event.kind === "log" ? ` · ${event.level}` : ""}
          </h2>
          <span class="small muted mono">{full(event === undefined ? target.around : isoToMs(event.time))}</span>
        </div>
        {event !== undefined && <CopyButton label="JSON" text={() => JSON.stringify(event, null, 2)} />}
        <button type="button" class="icon-btn" aria-label="Close (Esc)" title="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class={`detail-body ${fresh ? "" : "stale"}`} id="event-detail">
        <Progress show={loading && data === undefined} />
        {event !== undefined && (
          <div class="detail-links">
            <Version
              id={event.version_id as string | undefined}
              tag={event.version_tag as string | undefined}
              message={event.version_message as string | undefined}
              showMessage
            />
            <span class="grow" />
            <IssueLink issue={event.issue} of={target} button />
            <a
              class="btn"
              href={withRange(`/invocations/${encodeURIComponent(target.invocation)}?around=${target.around}`)}
            >
              Invocation
              <Icon name="arrow" />
            </a>
          </div>
        )}
        {error !== undefined && <RetryNotice failure={error} retry={reload} />}
        {event !== undefined && <EventBody event={event} actions={actions} />}
        {data !== undefined && fresh && event === undefined && (
          <p class="muted">
            This event is gone: its retention has passed, or it lies outside the time that was searched.
          </p>
        )}
      </div>
    </aside>
  );
}
