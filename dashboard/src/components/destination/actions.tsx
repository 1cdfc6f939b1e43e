/** What a person may do to a destination: pause and go on, change, send what was, remove. Removing says what is lost, and asks. */
import { useState } from "preact/hooks";
import type { DestinationRow } from "../../../../workers/api/contract.ts";
import { integrationsApi } from "../../api/integrations.ts";
import { count } from "../../lib/format.ts";
import { act, command, mayChange } from "../../state/integrations.ts";
import { useShortcuts } from "../../state/keys.ts";
import { navigate } from "../../state/location.ts";
import { Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { hrefOf } from "../integrations/destination-table.tsx";
import { Popover } from "../popover.tsx";
import { isSending } from "./backfill-bar.tsx";

interface Props {
  row: DestinationRow;
  /** Those that fail over to it. */
  reliedOnBy: DestinationRow[];
}

function Remove({ row, reliedOnBy, onClose }: Props & { onClose: () => void }) {
  const [busy, setBusy] = useState(false);
  const { health } = row;
  const remove = async () => {
    setBusy(true);
    const done = await act(`Removed: ${row.name}`, () => integrationsApi.remove(row.id));
    setBusy(false);
    if (done) navigate("/integrations");
  };
  return (
    <Dialog title={`Remove ${row.name}?`} onClose={onClose}>
      <form
        class="dialog-body ask"
        onSubmit={(e) => {
          e.preventDefault();
          void remove();
        }}
      >
        <ul class="ask-what">
          <li>Nothing more is sent there. What it has received stays with it.</li>
          {(health.queued ?? 0) > 0 && (
            <li>
              <b>{count(health.queued)}</b> events that wait are not sent any more. They stay in Tailrace.
            </li>
          )}
          {health.deadLetters > 0 && (
            <li>
              <b>{count(health.deadLetters)}</b> dead letters are deleted.
            </li>
          )}
          <li>Its settings, its rules and the stored secrets are deleted: to have it again, set it up again.</li>
          {reliedOnBy.length > 0 && (
            <li>
              {reliedOnBy.map((d) => d.name).join(", ")} {reliedOnBy.length === 1 ? "has" : "have"} no failover then.
            </li>
          )}
        </ul>
        <div class="row ask-buttons">
          <button type="submit" class="btn stop" disabled={busy}>
            Remove
          </button>
          <button type="button" class="btn quiet" autofocus onClick={onClose}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const HOUR_MS = 3_600_000;
const SPANS: [string, number][] = [
  ["the last hour", HOUR_MS],
  ["the last 24 hours", 24 * HOUR_MS],
  ["the last 7 days", 168 * HOUR_MS],
];

function Backfill({ row, onClose }: { row: DestinationRow; onClose: () => void }) {
  const [ms, setMs] = useState(24 * HOUR_MS);
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    const to = Date.now();
    const done = await act(`Sends what was: ${row.name}`, () =>
      integrationsApi.backfill(row.id, { from: to - ms, to }),
    );
    setBusy(false);
    if (done) onClose();
  };
  return (
    <Dialog title="Send what was, again" onClose={onClose}>
      <form
        class="dialog-body ask"
        onSubmit={(e) => {
          e.preventDefault();
          void send();
        }}
      >
        <fieldset class="choice-set">
          <legend class="sr">From when on</legend>
          {SPANS.map(([label, value]) => (
            <label key={value} class="check">
              <input type="radio" name="span" checked={ms === value} onChange={() => setMs(value)} />
              {label.charAt(0).toUpperCase() + label.slice(1)}
            </label>
          ))}
        </fieldset>
        <p class="muted">
          By the rules as they are now, beside what comes in meanwhile. What is no longer stored cannot be sent, and
          what was delivered of that time is sent once more: a receiver that knows items by their ids leaves it out.
        </p>
        <div class="row ask-buttons">
          <button type="submit" class="btn primary" disabled={busy}>
            Send
          </button>
          <button type="button" class="btn quiet" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function Actions({ row, reliedOnBy }: Props) {
  const [asked, setAsked] = useState<"remove" | "backfill">();
  const may = mayChange();
  const isPaused = row.state === "paused";
  const toggle = () => void command(row, isPaused ? "resume" : "pause");
  useShortcuts({
    p: () => may && toggle(),
    e: () => may && navigate(`${hrefOf(row)}/edit`),
  });
  if (!may) return null;
  return (
    <span class="roll-actions">
      <button type="button" class="btn" onClick={toggle}>
        <Icon name={isPaused ? "play" : "pause"} />
        {isPaused ? "Go on" : "Pause"}
      </button>
      <a class="btn" href={`${hrefOf(row)}/edit`}>
        <Icon name="edit" />
        Edit
      </a>
      <Popover label="More" button="More" panelClass="menu">
        {(close) => (
          <>
            <button
              type="button"
              class="menu-item"
              disabled={isSending(row.health.backfill)}
              onClick={() => {
                close();
                setAsked("backfill");
              }}
            >
              Send what was…
            </button>
            <button
              type="button"
              class="menu-item bad"
              onClick={() => {
                close();
                setAsked("remove");
              }}
            >
              Remove…
            </button>
          </>
        )}
      </Popover>
      {asked === "remove" && <Remove row={row} reliedOnBy={reliedOnBy} onClose={() => setAsked(undefined)} />}
      {asked === "backfill" && <Backfill row={row} onClose={() => setAsked(undefined)} />}
    </span>
  );
}
