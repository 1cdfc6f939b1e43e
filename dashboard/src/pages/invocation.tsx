/** One invocation: what was asked, how it ended, on which version, and all it said, in order. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { EventJson, InvocationAnswer } from "../../../workers/api/contract.ts";
import { api } from "../api/client.ts";
import { CompletenessBadge } from "../components/completeness.tsx";
import { AttributeList, attributesOf, fieldsOf } from "../components/event-detail.tsx";
import { EventStack } from "../components/event-stack.tsx";
import { Icon } from "../components/icons.tsx";
import { IssueLink } from "../components/issue-link.tsx";
import { CopyButton, ErrorState, Progress, Snippet } from "../components/states.tsx";
import { Version } from "../components/version.tsx";
import { isoToMs, toneOf } from "../lib/event-row.ts";
import { duration, full, offset } from "../lib/format.ts";
import { addFilter, exploreHref, groupBy, term } from "../lib/query-text.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate, query, range, withRange } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import "../styles/event-detail.css";
import "../styles/invocation.css";

const str = (value: unknown): string => (typeof value === "string" ? value : "");
const num = (value: unknown): number | null => (typeof value === "number" ? value : null);

function Summary({ event, id }: { event: EventJson; id: string }) {
  const outcome = str(event.outcome) || "unknown";
  const status = num(event.status);
  const failed = toneOf(str(event.level), event.kind) === "error";
  const facts: [string, ComponentChildren][] = [
    [
      "Outcome",
      <b class={failed ? "bad" : outcome === "ok" ? "good" : "warn"}>
        {status === null ? outcome : `${outcome} · ${status}`}
      </b>,
    ],
    ["Duration", duration(num(event.duration))],
    ["CPU", duration(num(event.cpu_time))],
    [
      "Version",
      event.version_id === undefined ? (
        "–"
      ) : (
        <Version
          id={str(event.version_id)}
          tag={str(event.version_tag)}
          message={str(event.version_message)}
          showMessage
        />
      ),
    ],
    [
      "Worker",
      <a class="link" href={withRange(`/workers/${encodeURIComponent(event.script)}`)}>
        {event.script}
      </a>,
    ],
    ["Event type", str(event.event_type) || "–"],
    ["Entrypoint", str(event.entrypoint) || "default"],
    ["From", [str(event.colo), str(event.country)].filter(Boolean).join(" · ") || "–"],
  ];
  return (
    <dl class="inv-facts">
      {facts.map(([label, value]) => (
        <div key={label} class={label === "Version" ? "wide" : ""}>
          <dt class="small faint">{label}</dt>
          <dd class="cut">{value}</dd>
        </div>
      ))}
      <div class="wide">
        <dt class="small faint">Invocation id</dt>
        <dd class="mono cut" title={id}>
          {id}
        </dd>
      </div>
    </dl>
  );
}

function Step({
  event,
  start,
  active,
  onClick,
}: {
  event: EventJson;
  start: number;
  active: boolean;
  onClick: () => void;
}) {
  const tone = toneOf(str(event.level), event.kind);
  const own = attributesOf(event).filter(([k]) => !INHERITED.test(k));
  return (
    <li
      class={`step ${tone === "" ? "" : `tone-${tone}`} ${active ? "active" : ""}`}
      onClick={onClick}
      aria-current={active}
    >
      <span class="step-time mono faint" title={full(isoToMs(event.time))}>
        {offset(isoToMs(event.time) - start)}
      </span>
      <span class="step-level small">{event.kind === "log" ? str(event.level) || "log" : event.kind}</span>
      <div class="step-body">
        <IssueLink issue={event.issue} of={{ invocation: event.invocation_id, seq: event.seq }} />
        <pre class={tone === "error" ? "bad" : tone === "warn" ? "warn" : ""}>
          {event.kind === "exception" && str(event.name) !== "" && <b>{str(event.name)}: </b>}
          {str(event.message) || str(event.name)}
        </pre>
        <EventStack event={event} class="step-stack" />
        {active && own.length > 0 && <AttributeList entries={own} />}
      </div>
    </li>
  );
}

/** Attributes that every event of an invocation repeats. */
const INHERITED = /^(http\.|url\.|user_agent\.|client\.|geo\.|cloudflare\.|faas\.|server\.|network\.|tls\.)/;

function Story({ events, start }: { events: EventJson[]; start: number }) {
  const [active, setActive] = useState(-1);
  useShortcuts({
    j: () => setActive((n) => Math.min(events.length - 1, n + 1)),
    k: () => setActive((n) => Math.max(0, n - 1)),
    Escape: () => setActive(-1),
  });
  useEffect(() => document.querySelector(".step.active")?.scrollIntoView({ block: "nearest" }), [active]);
  if (events.length === 0)
    return (
      <p class="muted inv-quiet">It logged nothing and threw nothing. Its request and outcome are all there is.</p>
    );
  return (
    <ol class="story">
      {events.map((e, i) => (
        <Step
          key={e.seq}
          event={e}
          start={start}
          active={i === active}
          onClick={() => setActive(i === active ? -1 : i)}
        />
      ))}
    </ol>
  );
}

function title(event: EventJson | undefined): string {
  if (event === undefined) return "Invocation";
  return (
    str(event.message) || [str(event.method), str(event.route)].join(" ").trim() || str(event.name) || "Invocation"
  );
}

function Loaded({ data }: { data: InvocationAnswer }) {
  const head = data.events.find((e) => e.kind === "invocation") ?? (data.events[0] as EventJson);
  const rest = data.events.filter((e) => e !== head);
  const start = isoToMs(head.time);
  const attributes = attributesOf(head);
  const to = (q: string) => navigate(exploreHref(q, range.value));
  const actions = {
    onFilter: (field: string, value: string | number | boolean | null, exclude: boolean) =>
      to(addFilter(term("script", head.script), field, value, exclude)),
    onGroup: (field: string) => to(groupBy(term("script", head.script), field)),
  };
  return (
    <>
      <div class="inv-head">
        <a
          class="icon-btn"
          href={withRange(`/explore?q=${encodeURIComponent(term("script", head.script))}`)}
          aria-label="Back to Explore"
        >
          <Icon name="back" />
        </a>
        <div class="grow">
          <h1 class="cut">{title(head)}</h1>
          <p class="small muted">{full(start)}</p>
        </div>
        <CopyButton label="JSON" text={() => JSON.stringify(data.events, null, 2)} />
        <CompletenessBadge value={data.completeness} />
      </div>
      <Summary event={head} id={data.id} />
      <div class="inv-columns">
        <section aria-labelledby="story-title">
          <div class="section-head">
            <h2 id="story-title">Logs and exceptions</h2>
            <span class="small faint">{rest.length > 0 ? `${rest.length}, in order` : ""}</span>
          </div>
          <Story events={rest} start={start} />
        </section>
        <section aria-labelledby="attrs-title">
          <div class="section-head">
            <h2 id="attrs-title">Attributes</h2>
          </div>
          <AttributeList entries={[...attributes, ...fieldsOf(head)]} actions={actions} />
        </section>
      </div>
    </>
  );
}

export default function Invocation({ id }: { id: string }) {
  const around = Number(query.value.around) || undefined;
  const { data, error, loading, reload } = useResource(`${id} ${around}`, (signal) =>
    api.invocation(id, around, signal),
  );
  useEffect(() => {
    document.title = `${title(data?.events[0])} · Tailrace`;
  }, [data]);
  if (error !== undefined && data === undefined && error.status !== 404)
    return <ErrorState failure={error} retry={reload} />;
  if (error?.status === 404 || data?.events.length === 0)
    return (
      <div class="state">
        <h2>This invocation is not there</h2>
        <p class="muted">Its retention has passed, it was sampled out, or the id is another one:</p>
        <Snippet code={id} />
        <a class="btn" href={withRange("/explore")}>
          Explore
        </a>
      </div>
    );
  return (
    <div class="page invocation">
      <Progress show={loading} />
      {data !== undefined && <Loaded data={data} />}
    </div>
  );
}
