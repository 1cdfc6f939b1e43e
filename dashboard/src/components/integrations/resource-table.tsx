/** Credentials of other services that Tailrace wrote into Workers. */
import type { CatalogEntry, ResourceRow } from "../../../../workers/api/contract.ts";
import { ago, full } from "../../lib/format.ts";
import { Icon } from "../icons.tsx";
import { Mark } from "./marks.tsx";

interface Props {
  resources: ResourceRow[];
  catalog: ReadonlyMap<string, CatalogEntry>;
  now: number;
}

function State({ row }: { row: ResourceRow }) {
  const broken = row.workers.filter((w) => w.error !== null);
  if (broken.length > 0)
    return (
      <span class="row bad">
        <Icon name="alert" />
        {broken.length === 1 ? `Not written into ${broken[0]?.script}` : `Not written into ${broken.length} Workers`}
      </span>
    );
  if (row.workers.length === 0) return <span class="muted">In no Worker yet</span>;
  return (
    <span class="row good">
      <Icon name="check" />
      {row.workers.length === 1 ? `In ${row.workers[0]?.script}` : `In ${row.workers.length} Workers`}
    </span>
  );
}

export function ResourceTable({ resources, catalog, now }: Props) {
  return (
    <div class="table-scroll">
      <table class="table dests resources">
        <thead>
          <tr>
            <th scope="col">Resource</th>
            <th scope="col">State</th>
            <th scope="col">Secrets</th>
            <th scope="col">Made or rotated</th>
          </tr>
        </thead>
        <tbody>
          {resources.map((row) => {
            const entry = catalog.get(row.integration);
            const at = row.rotatedAt ?? row.createdAt;
            return (
              <tr key={row.id} class="click">
                <th scope="row" class="dest-name">
                  <span class="dest-who">
                    <Mark entry={entry} small />
                    <span class="dest-names">
                      <a href={`/integrations/r/${encodeURIComponent(row.id)}`} class="cut">
                        {row.name}
                      </a>
                      <span class="small faint cut">{entry?.name ?? row.integration}</span>
                    </span>
                  </span>
                </th>
                <td>
                  <State row={row} />
                </td>
                <td class="mono muted cut">{[...new Set(row.workers.flatMap((w) => w.secrets))].join(", ") || "–"}</td>
                <td class="muted" title={full(at)}>
                  {ago(at, now)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
