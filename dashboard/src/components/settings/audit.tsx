/** Who changed what, newest first. */
import { useEffect, useState } from "preact/hooks";
import type { AuditRow } from "../../../../workers/api/contract.ts";
import { type ApiFailure, api } from "../../api/client.ts";
import { full } from "../../lib/format.ts";
import { asFailure } from "../../state/resource.ts";
import { ErrorState } from "../states.tsx";

function detailText(detail: unknown): string {
  const text = typeof detail === "string" ? detail : JSON.stringify(detail ?? "");
  return text === "{}" || text === '""' ? "" : text;
}

export function Audit() {
  const [rows, setRows] = useState<AuditRow[]>();
  const [next, setNext] = useState<number>();
  const [failure, setFailure] = useState<ApiFailure>();
  const load = async (before?: number) => {
    setFailure(undefined);
    try {
      const answer = await api.audit(before);
      setRows((old) => (before === undefined ? answer.rows : [...(old ?? []), ...answer.rows]));
      setNext(answer.next);
    } catch (error) {
      setFailure(asFailure(error));
    }
  };
  useEffect(() => void load(), []);
  if (failure !== undefined) return <ErrorState failure={failure} retry={() => void load()} />;
  return (
    <section>
      <div class="table-scroll">
        <table class="table audit">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
              <th scope="col">Of what</th>
              <th scope="col">Detail</th>
            </tr>
          </thead>
          <tbody>
            {rows?.map((r) => (
              <tr key={r.id}>
                <td class="mono">{full(r.at)}</td>
                <td>{r.actor}</td>
                <td>{r.action}</td>
                <td class="muted">{r.target}</td>
                <td class="mono muted audit-detail">{detailText(r.detail)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows?.length === 0 && <p class="muted">Nothing has been changed yet.</p>}
      {next !== undefined && (
        <button type="button" class="btn" onClick={() => void load(next)}>
          Older
        </button>
      )}
    </section>
  );
}
