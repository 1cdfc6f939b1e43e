/** Above the fold of a destination: is it well, what is done about it and when, and the figures that say so. */
import type { ComponentChildren } from "preact";
import type { DestinationHealth, DestinationRow } from "../../../../workers/api/contract.ts";
import { about, ago, count, duration, full, span } from "../../lib/format.ts";
import { CONDITION_LABELS, CONDITION_TONES, dropped, failureText, type Tone } from "../../lib/integrations.ts";
import { command, mayChange } from "../../state/integrations.ts";
import { Icon, type IconName } from "../icons.tsx";
import { hrefOf } from "../integrations/destination-table.tsx";

const ICONS: Record<Tone, IconName> = { bad: "alert", warn: "alert", good: "check", "": "clock" };
const RETRIED: DestinationHealth["condition"][] = ["waiting", "failing", "attention"];

function nextTry({ nextTryAt }: DestinationHealth, now: number): string {
  if (nextTryAt === null) return "";
  return nextTryAt <= now ? "Trying now." : `Next try in ${span(Math.max(1000, nextTryAt - now))}.`;
}

export function Answer({
  row,
  failover,
  now,
}: {
  row: DestinationRow;
  failover: DestinationRow | undefined;
  now: number;
}) {
  const { health } = row;
  const tone = CONDITION_TONES[health.condition];
  const { lastError } = health;
  const inTrouble = RETRIED.includes(health.condition);
  return (
    <div class={`roll-answer dest-answer ${tone}`}>
      <Icon name={health.condition === "paused" ? "pause" : ICONS[tone]} />
      <div class="grow">
        <p class="roll-headline" role="status">
          {CONDITION_LABELS[health.condition]}
        </p>
        <p>{health.sentence}</p>
        {inTrouble && (
          <p class="muted dest-next">
            {nextTry(health, now)}
            {lastError !== null && !health.sentence.includes(lastError.message.replace(/\.$/, "")) && (
              <span title={full(lastError.at)}>
                {" "}
                Last error {ago(lastError.at, now)}: {failureText(lastError)}
              </span>
            )}
          </p>
        )}
        {health.failedOverSince !== null && !(failover !== undefined && health.sentence.includes(failover.name)) && (
          <p>
            <a class="link" href={failover === undefined ? "/integrations" : hrefOf(failover)}>
              {failover?.name ?? "The failover"}
            </a>{" "}
            carries what comes, for {about(Math.max(1000, now - health.failedOverSince))} now
          </p>
        )}
      </div>
      {inTrouble && mayChange() && (
        <button type="button" class="btn" onClick={() => void command(row, "retry")}>
          <Icon name="regressed" />
          Retry now
        </button>
      )}
    </div>
  );
}

function Fact({
  label,
  children,
  note,
  tone = "",
}: {
  label: string;
  children: ComponentChildren;
  note?: ComponentChildren;
  tone?: Tone;
}) {
  return (
    <div>
      <dt class="small faint">{label}</dt>
      <dd class={tone}>{children}</dd>
      <dd class="small muted">{note ?? " "}</dd>
    </div>
  );
}

/** The total stands above it: where one rule dropped it all, its name is enough. */
function droppedNote({ droppedByRule: { sampled, ceiling } }: DestinationHealth): string {
  if (sampled > 0 && ceiling > 0) return `${count(sampled)} sampled out, ${count(ceiling)} above the ceiling`;
  return sampled > 0 ? "sampled out" : ceiling > 0 ? "above the ceiling" : "nothing was";
}

const CIRCUITS: Record<DestinationHealth["circuit"], [string, string]> = {
  closed: ["Closed", "requests go through"],
  open: ["Open", "spared until the next try"],
  "half-open": ["Half open", "one request tries it out"],
};

export function Facts({
  row,
  failover,
  now,
}: {
  row: DestinationRow;
  failover: DestinationRow | undefined;
  now: number;
}) {
  const { health } = row;
  const [circuit, circuitNote] = CIRCUITS[health.circuit];
  const lag = health.oldestWaiting === null ? null : Math.max(0, now - health.oldestWaiting);
  return (
    <dl class="dest-facts">
      <Fact
        label="Delivered"
        note={
          health.lastDeliveredAt === null ? (
            "nothing yet"
          ) : (
            <span title={full(health.lastDeliveredAt)}>last {ago(health.lastDeliveredAt, now)}</span>
          )
        }
      >
        {count(health.delivered)}
      </Fact>
      <Fact
        label="Waiting"
        note={lag === null ? "nothing waits" : <span title={full(now - lag)}>the oldest since {span(lag)}</span>}
      >
        {health.queued === null ? "not known" : `${count(health.queued)} ${health.queued === 1 ? "event" : "events"}`}
      </Fact>
      <Fact label="Failed tries" note="each is tried again">
        {count(health.failed)}
      </Fact>
      <Fact label="Dropped by rule" note={droppedNote(health)}>
        {count(dropped(health))}
      </Fact>
      <Fact
        label="Answers in"
        note={health.latency.p99 === null ? "no request yet" : `p99 ${duration(health.latency.p99)}`}
      >
        {health.latency.p50 === null ? "–" : duration(health.latency.p50)}
      </Fact>
      <Fact label="Circuit" note={circuitNote} tone={health.circuit === "closed" ? "" : "warn"}>
        {circuit}
      </Fact>
      <Fact
        label="Failover"
        note={
          health.failedOverSince !== null
            ? `carries it, ${count(health.viaFailover)} so far`
            : health.viaFailover > 0
              ? `${count(health.viaFailover)} went that way`
              : row.failoverTo === null
                ? "it waits, and catches up"
                : "not needed so far"
        }
        tone={health.failedOverSince === null ? "" : "warn"}
      >
        {failover === undefined ? (
          row.failoverTo === null ? (
            "None"
          ) : (
            "Set"
          )
        ) : (
          <a class="link" href={hrefOf(failover)}>
            {failover.name}
          </a>
        )}
      </Fact>
      {(health.rejectedByReceiver > 0 || health.lost > 0) && (
        <Fact
          label="Gone"
          tone="bad"
          note={`${count(health.rejectedByReceiver)} thrown away by the receiver, ${count(health.lost)} no longer stored`}
        >
          {count(health.rejectedByReceiver + health.lost)}
        </Fact>
      )}
    </dl>
  );
}
