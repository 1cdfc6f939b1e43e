/** /integrations/new/:id and /integrations/d/:id/edit: an integration's form with its documentation beside it. */
import { useEffect, useMemo } from "preact/hooks";
import { Icon } from "../components/icons.tsx";
import { hrefOf } from "../components/integrations/destination-table.tsx";
import { Mark } from "../components/integrations/marks.tsx";
import { ResourceForm } from "../components/resource/resource-form.tsx";
import { Docs } from "../components/setup/aside.tsx";
import { DestinationForm } from "../components/setup/destination-form.tsx";
import { ErrorState, Progress } from "../components/states.tsx";
import { useCatalog, useDestinations } from "../state/integrations.ts";
import { path } from "../state/location.ts";
import "../styles/settings.css";
import "../styles/rollout-record.css";
import "../styles/integrations.css";
import "../styles/setup.css";
import "../styles/rules.css";

function Missing({ what }: { what: string }) {
  return (
    <div class="state">
      <h2>There is no such {what}</h2>
      <p class="muted">It may have been removed meanwhile.</p>
      <a class="btn" href="/integrations">
        All integrations
      </a>
    </div>
  );
}

export default function IntegrationSetup({ id }: { id: string }) {
  const isNew = path.value.startsWith("/integrations/new/");
  const catalog = useCatalog();
  const all = useDestinations();
  const entries = useMemo(() => new Map(catalog.data?.map((e) => [e.id, e])), [catalog.data]);
  const row = isNew ? undefined : all.destinations.find((d) => d.id === id);
  const entry = entries.get(row?.integration ?? id);
  const back = row === undefined ? "/integrations" : hrefOf(row);
  const title = row === undefined ? `Set up ${entry?.name ?? "an integration"}` : `Change ${row.name}`;
  useEffect(() => {
    document.title = `${title} · Tailrace`;
  }, [title]);
  const failure = catalog.error ?? all.error;
  if (catalog.data === undefined || all.data === undefined)
    return failure === undefined ? (
      <Progress show />
    ) : (
      <ErrorState
        failure={failure}
        retry={() => {
          catalog.reload();
          all.reload();
        }}
      />
    );
  if (!isNew && row === undefined) return <Missing what="destination" />;
  if (entry === undefined) return <Missing what="integration" />;
  return (
    <div class="page setup">
      <nav class="crumbs small" aria-label="Where this is">
        <a href="/integrations">Integrations</a>
        {row !== undefined && (
          <>
            <span aria-hidden="true">/</span>
            <a href={hrefOf(row)} class="cut">
              {row.name}
            </a>
          </>
        )}
        <span aria-hidden="true">/</span>
        <span aria-current="page">{row === undefined ? `Set up ${entry.name}` : "Change"}</span>
      </nav>
      <div class="setup-head">
        <a class="icon-btn" href={back} aria-label="Back">
          <Icon name="back" />
        </a>
        <Mark entry={entry} />
        <div>
          <h1>{title}</h1>
          <p class="muted">{entry.summary}</p>
        </div>
      </div>
      <div class="setup-columns">
        {entry.role === "resource" ? (
          <ResourceForm key={entry.id} entry={entry} />
        ) : (
          <DestinationForm
            key={row?.id ?? entry.id}
            entry={entry}
            row={row}
            others={all.destinations.filter((d) => d.id !== row?.id)}
            catalog={entries}
          />
        )}
        <Docs key={entry.id} entry={entry} />
      </div>
    </div>
  );
}
