/** Integrations: what is set up and how it goes, the Workers that are observed, and the marketplace to add from. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { ConnectCard } from "../components/integrations/connect-card.tsx";
import { DestinationTable, hrefOf } from "../components/integrations/destination-table.tsx";
import { Marketplace } from "../components/integrations/marketplace.tsx";
import { ResourceTable } from "../components/integrations/resource-table.tsx";
import { ErrorState, Progress, RetryNotice, StaleNotice } from "../components/states.tsx";
import { mayChange, useCatalog, useConnections, useDestinations, useResources } from "../state/integrations.ts";
import { useShortcuts } from "../state/keys.ts";
import { navigate } from "../state/location.ts";
import "../styles/measures.css";
import "../styles/integrations.css";

export default function Integrations() {
  const catalog = useCatalog();
  const { destinations, data, error, reload } = useDestinations();
  const resources = useResources();
  const connections = useConnections();
  const [active, setActive] = useState<string>();
  useEffect(() => {
    document.title = "Integrations · Tailrace";
  }, []);
  const entries = useMemo(() => new Map(catalog.data?.map((e) => [e.id, e])), [catalog.data]);
  const used = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { integration } of [...destinations, ...(resources.data?.resources ?? [])])
      counts.set(integration, (counts.get(integration) ?? 0) + 1);
    return counts;
  }, [destinations, resources.data]);
  const at = destinations.findIndex((d) => d.id === active);
  const step = (by: number) => setActive(destinations[Math.max(0, Math.min(destinations.length - 1, at + by))]?.id);
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      const row = destinations[at];
      if (row !== undefined) navigate(hrefOf(row));
    },
    "/": () => document.getElementById("market-search")?.focus(),
  });

  const failure = error ?? catalog.error;
  const retry = () => {
    reload();
    catalog.reload();
  };
  // All at once, so that nothing moves when the slower of them comes.
  const ready = data !== undefined && catalog.data !== undefined && (resources.data ?? resources.error) !== undefined;
  if (!ready) return failure === undefined ? <Progress show /> : <ErrorState failure={failure} retry={retry} />;
  const now = Date.now();
  const own = resources.data?.resources ?? [];
  return (
    <div class="page integrations">
      <div class="section-head">
        <h1>Integrations</h1>
      </div>
      {error !== undefined && <StaleNotice failure={error} retry={reload} />}
      <ConnectCard answer={connections.data} failure={connections.error} />
      <section aria-labelledby="dests-title">
        <h2 id="dests-title">Destinations</h2>
        {destinations.length > 0 ? (
          <DestinationTable destinations={destinations} catalog={entries} active={active} now={now} />
        ) : (
          <p class="int-empty muted">
            Nothing is forwarded yet. Pick a card below, paste a key, press Test: errors, logs and traces arrive there
            too, sampled as you say, and nothing in your Workers changes.
            {!mayChange() && " To set one up takes a token of scope admin."}
          </p>
        )}
      </section>
      {resources.error !== undefined && own.length === 0 && (
        <RetryNotice failure={resources.error} retry={resources.reload} />
      )}
      {own.length > 0 && (
        <section aria-labelledby="resources-title">
          <h2 id="resources-title">Resources</h2>
          <ResourceTable resources={own} catalog={entries} now={now} />
        </section>
      )}
      <Marketplace catalog={catalog.data ?? []} used={used} />
    </div>
  );
}
