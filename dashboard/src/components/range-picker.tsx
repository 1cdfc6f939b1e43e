/** The page's time range: presets, an absolute range, and the switch for live refresh. */
import { useState } from "preact/hooks";
import { clock, day, span } from "../lib/format.ts";
import { isRelative, PRESETS, parseTime, type RangeText } from "../lib/range.ts";
import { live, toggleLive } from "../state/live.ts";
import { range, setQuery } from "../state/location.ts";
import { Icon } from "./icons.tsx";
import { Popover } from "./popover.tsx";

function labelOf({ from, to }: RangeText): string {
  if (to === "now") {
    const preset = PRESETS.find((p) => p.text === from);
    if (preset) return `Last ${preset.label}`;
    if (from.startsWith("-")) return `Last ${from.slice(1)}`;
  }
  const now = Date.now();
  const a = parseTime(from, now);
  const b = parseTime(to, now);
  if (Number.isNaN(a) || Number.isNaN(b)) return "Last 1 hour";
  const date = day(a) === day(now) && day(b) === day(now) ? "" : `${day(a).slice(5)} `;
  const end = day(a) === day(b) ? clock(b) : `${day(b).slice(5)} ${clock(b)}`;
  return `${date}${clock(a)} – ${end}`;
}

/** What `<input type=datetime-local>` reads: local time, to the second. */
const local = (t: number) => `${day(t)}T${clock(t)}`;

function Custom({ done }: { done: () => void }) {
  const now = Date.now();
  const [from, setFrom] = useState(local(parseTime(range.value.from, now) || now - 3_600_000));
  const [to, setTo] = useState(local(parseTime(range.value.to, now) || now));
  const a = Date.parse(from);
  const b = Date.parse(to);
  const valid = a < b;
  const apply = (event: Event) => {
    event.preventDefault();
    if (!valid) return;
    setQuery({ from: String(a), to: String(b), event: undefined });
    done();
  };
  return (
    <form class="range-custom" onSubmit={apply}>
      <label>
        <span class="small faint">From</span>
        <input
          class="input"
          type="datetime-local"
          step="1"
          value={from}
          onInput={(e) => setFrom(e.currentTarget.value)}
        />
      </label>
      <label>
        <span class="small faint">To</span>
        <input class="input" type="datetime-local" step="1" value={to} onInput={(e) => setTo(e.currentTarget.value)} />
      </label>
      <div class="row">
        <span class={`small grow ${valid ? "faint" : "bad"}`}>{valid ? span(b - a) : "From must be before To"}</span>
        <button type="submit" class="btn" disabled={!valid}>
          Show
        </button>
      </div>
    </form>
  );
}

export function RangePicker() {
  const current = range.value;
  return (
    <Popover
      label="Time range"
      panelClass="menu range-pop"
      button={
        <>
          <Icon name="clock" />
          <span class="range-label">{labelOf(current)}</span>
          <Icon name="chevron" />
        </>
      }
    >
      {(close) => (
        <>
          <div role="group" aria-label="Presets">
            {PRESETS.map((p) => (
              <button
                key={p.text}
                type="button"
                class="menu-item"
                aria-pressed={current.to === "now" && current.from === p.text}
                onClick={() => {
                  setQuery({ from: p.text, to: "now", event: undefined });
                  close();
                }}
              >
                <span class="grow">Last {p.label}</span>
                <code class="faint">{p.text}</code>
              </button>
            ))}
          </div>
          <Custom done={close} />
        </>
      )}
    </Popover>
  );
}

export function LiveSwitch() {
  const can = isRelative(range.value);
  const on = live.value && can;
  const label = !can ? "A fixed time range does not refresh" : on ? "Refreshes by itself" : "Refresh by itself";
  return (
    <button
      type="button"
      class={`btn quiet live ${on ? "on" : ""}`}
      aria-pressed={on}
      aria-label={label}
      title={label}
      disabled={!can}
      onClick={toggleLive}
    >
      <span class="dot" />
      <span class="live-text">Live</span>
    </button>
  );
}
