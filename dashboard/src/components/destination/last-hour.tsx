/** The last hour, minute by minute: delivered, failed, and how long the receiver takes. */
import { useMemo } from "preact/hooks";
import type { DestinationHealth } from "../../../../workers/api/contract.ts";
import { count, countTick, duration, durationTick } from "../../lib/format.ts";
import { lastHour } from "../../lib/integrations.ts";
import { Chart, LegendItem } from "../chart.tsx";

const MINUTE_MS = 60_000;
const SYNC = "destination";

/** Nothing to zoom into: the page knows this hour only. */
const stay = () => undefined;

export function LastHour({ health }: { health: DestinationHealth }) {
  const drawn = useMemo(() => {
    const minutes = lastHour(health);
    const x = minutes.map((m) => m.at);
    return {
      x,
      bucketMs: MINUTE_MS,
      from: x[0] ?? health.asOf,
      to: (x.at(-1) ?? health.asOf) + MINUTE_MS,
      items: [
        { label: "Failed tries", colour: "--bar-red", kind: "bars" as const, values: minutes.map((m) => m.failed) },
        { label: "Delivered", colour: "--bar", kind: "bars" as const, values: minutes.map((m) => m.delivered) },
      ],
      times: [{ label: "p50", colour: "--accent", kind: "line" as const, values: minutes.map((m) => m.p50) }],
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
