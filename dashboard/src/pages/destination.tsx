/** One destination, live: is it well, what waits, the last hour, what was refused, what it is set to. */
import { useEffect, useMemo } from "preact/hooks";
import { Actions } from "../components/destination/actions.tsx";
import { Answer, Facts } from "../components/destination/answer.tsx";
import { BackfillBar } from "../components/destination/backfill-bar.tsx";
import { DeadLetters } from "../components/destination/dead-letters.tsx";
import { LastHour } from "../components/destination/last-hour.tsx";
import { SettingsCard } from "../components/destination/settings-card.tsx";
import { Gone, PageHead } from "../components/integrations/page-head.tsx";
import { ErrorState, Progress } from "../components/states.tsx";
import { CONDITION_LABELS } from "../lib/integrations.ts";
import { useEvery } from "../state/every.ts";
import { useCatalog, useDestination, useDestinations } from "../state/integrations.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate } from "../state/location.ts";
import "../styles/measures.css";
import "../styles/settings.css";
import "../styles/rollout-record.css";
import "../styles/rollout.css";
import "../styles/integrations.css";
import "../styles/destination.css";

/** "Next try in 12 s" counts. */
const CLOCK_MS = 1000;

export default function DestinationPage({ id }: { id: string }) {
  const { data, error, loading, fresh, reload } = useDestination(id);
  const catalog = useCatalog();
  const { destinations } = useDestinations();
  useEvery(CLOCK_MS);
  const row = fresh ? data?.destination : undefined;
  const entry = useMemo(() => catalog.data?.find((e) => e.id === row?.integration), [catalog.data, row?.integration]);
  const title = row === undefined ? "Destination" : `${CONDITION_LABELS[row.health.condition]} · ${row.name}`;
  useEffect(() => {
    document.title = `${title} · Tailrace`;
  }, [title]);
  useShortcuts({ Escape: () => navigate("/integrations") });
  if (row === undefined || (catalog.data ?? catalog.error) === undefined) {
    if (error?.status === 404) return <Gone what="destination" />;
    return error === undefined ? <Progress show={loading} /> : <ErrorState failure={error} retry={reload} />;
  }
  const now = Date.now();
  const failover = destinations.find((d) => d.id === row.failoverTo);
  const reliedOnBy = destinations.filter((d) => d.failoverTo === row.id);
  return (
    <div class="page destination">
      <PageHead
        name={row.name}
        entry={entry}
        kind={entry?.name === row.name ? undefined : (entry?.name ?? row.integration)}
        failure={error}
        retry={reload}
      >
        <Actions row={row} reliedOnBy={reliedOnBy} />
      </PageHead>
      <Answer row={row} failover={failover} now={now} />
      {row.health.backfill !== null && <BackfillBar backfill={row.health.backfill} now={now} />}
      <Facts row={row} failover={failover} now={now} />
      <LastHour health={row.health} />
      <div class="dest-columns">
        <DeadLetters id={row.id} known={row.health.deadLetters} now={now} />
        <SettingsCard row={row} entry={entry} />
      </div>
    </div>
  );
}
