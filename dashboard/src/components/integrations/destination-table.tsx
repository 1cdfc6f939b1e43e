/** What is set up, with what is in trouble first: how it goes, what went, what waits, and the last thing that went wrong. */
import type { CatalogEntry, DestinationRow } from "../../../../workers/api/contract.ts";
import { ago, count, full, roughly } from "../../lib/format.ts";
import { CONDITION_TONES, dropped, failureText, lastHour } from "../../lib/integrations.ts";
import { Sparkline } from "../sparkline.tsx";
import { ConditionMark, Mark } from "./marks.tsx";

export const hrefOf = (row: Pick<DestinationRow, "id">): string => `/integrations/d/${encodeURIComponent(row.id)}`;

function Note({ row, now }: { row: DestinationRow; now: number }) {
  const { health } = row;
  const { lastError } = health;
  // Once it is well again, its last error is of no interest here.
  const isWell = CONDITION_TONES[health.condition] === "good" || CONDITION_TONES[health.condition] === "";
  return (
    <>
      <span class="cut" title={health.sentence}>
        {health.sentence}
      </span>
      {lastError !== null && !isWell && (
        <span class="cut faint" title={`${full(lastError.at)} ${lastError.message}`}>
          Last error {ago(lastError.at, now)}: {failureText(lastError)}
        </span>
      )}
    </>
  );
}

function Row({ row, entry, active, now }: { row: DestinationRow; entry?: CatalogEntry; active: boolean; now: number }) {
  const { health } = row;
  const series = lastHour(health).map((m) => ({ requests: m.delivered + m.failed, errors: m.failed }));
  const delivered = health.minutes.reduce((n, m) => n + m.delivered, 0);
  return (
    <tr class={`click ${active ? "active" : ""}`}>
      <th scope="row" class="dest-name">
        <span class="dest-who">
          <Mark entry={entry} small />
          <span class="dest-names">
            <a href={hrefOf(row)} class="cut">
              {row.name}
            </a>
            <span class="small faint cut">
              {entry?.name === row.name ? entry.category : (entry?.name ?? row.integration)}
            </span>
          </span>
        </span>
      </th>
      <td class="dest-state">
        <ConditionMark condition={health.condition} />
        <span class="small muted dest-note">
          <Note row={row} now={now} />
        </span>
      </td>
      <td class="dest-spark">
        <Sparkline series={series} label={`${count(delivered)} delivered in the last hour`} />
      </td>
      <td class="num" data-label="Delivered">
        {count(health.delivered)}
      </td>
      <td class={`num ${health.failed > 0 ? "" : "faint"}`} data-label="Failed tries">
        {count(health.failed)}
      </td>
      <td class={`num ${dropped(health) > 0 ? "" : "faint"}`} data-label="Dropped by rule">
        {count(dropped(health))}
      </td>
      <td class="num" data-label="Queued">
        {count(health.queued)}
      </td>
      <td class="num" data-label="Oldest">
        {health.oldestWaiting === null ? (
          <span class="faint">–</span>
        ) : (
          <span title={full(health.oldestWaiting)}>{roughly(Math.max(0, now - health.oldestWaiting))}</span>
        )}
      </td>
      <td class={`num ${health.deadLetters > 0 ? "bad" : "faint"}`} data-label="Dead letters">
        {count(health.deadLetters)}
      </td>
    </tr>
  );
}

interface Props {
  destinations: DestinationRow[];
  catalog: ReadonlyMap<string, CatalogEntry>;
  active: string | undefined;
  now: number;
}

export function DestinationTable({ destinations, catalog, active, now }: Props) {
  return (
    <div class="table-scroll">
      <table class="table dests">
        <thead>
          <tr>
            <th scope="col">Destination</th>
            <th scope="col">State</th>
            <th scope="col">Last hour</th>
            <th scope="col" class="num">
              Delivered
            </th>
            <th scope="col" class="num" title="Items whose try failed; each is tried again">
              Failed
            </th>
            <th scope="col" class="num" title="By sampling and by the ceiling">
              Dropped by rule
            </th>
            <th scope="col" class="num">
              Queued
            </th>
            <th scope="col" class="num">
              Oldest
            </th>
            <th scope="col" class="num" title="Refused for good: look at them, edit them, send them again">
              Dead letters
            </th>
          </tr>
        </thead>
        <tbody>
          {destinations.map((row) => (
            <Row key={row.id} row={row} entry={catalog.get(row.integration)} active={row.id === active} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}
