/** The last hour, minute by minute: delivered, failed, and how long the receiver takes. */
import { useMemo } from "preact/hooks";
import type { DestinationHealth } from "../../../../workers/api/contract.ts";
import { count, countTick, duration, durationTick } from "../../lib/format.ts";
import { Chart, LegendItem } from "../chart.tsx";

const MINUTE_MS = 60_000;
const MINUTES = 60;
const SYNC = "destination";

/** Nothing to zoom into: the page knows this hour only. */
const stay = () => undefined;

export function LastHour({ health }: { health: DestinationHealth }) {
  const drawn = useMemo(() => {
    const last = Math.floor(health.asOf / MINUTE_MS) * MINUTE_MS;
    const x = Array.from({ length: MINUTES }, (_, i) => last - (MINUTES - 1 - i) * MINUTE_MS);
    const known = new Map(health.minutes.map((m) => [Math.floor(m.at / MINUTE_MS) * MINUTE_MS, m]));
    const at = x.map((t) => known.get(t));
    return {
      x,
      bucketMs: MINUTE_MS,
      from: x[0] ?? last,
      to: last + MINUTE_MS,
      items: [
        { label: "Failed", colour: "--bar-red", kind: "bars" as const, values: at.map((m) => m?.failed ?? 0) },
        { label: "Delivered", colour: "--bar", kind: "bars" as const, values: at.map((m) => m?.delivered ?? 0) },
      ],
      times: [{ label: "p50", colour: "--accent", kind: "line" as const, values: at.map((m) => m?.p50 ?? null) }],
    };
  }, [health.asOf, health.minutes]);
  const { items, times, ...frame } = drawn;
  const shared = { ...frame, syncKey: SYNC, onZoom: stay };
  return (
    <section class="charts dest-charts" aria-label="The last hour">
      <Chart
        title="Items"
        unitLabel="per minute"
        {...shared}
        series={items}
        format={count}
        formatTick={countTick}
        minTop={4}
        legend={
          <>
            <LegendItem colour="--bar">Delivered</LegendItem>
            <LegendItem colour="--bar-red">Failed tries</LegendItem>
          </>
        }
      />
      <Chart
        title="Time of a request"
        unitLabel="p50 of each minute"
        {...shared}
        series={times}
        format={duration}
        formatTick={durationTick}
        minTop={10}
      />
    </section>
  );
}
