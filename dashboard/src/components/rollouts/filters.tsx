/** By Worker and by outcome; both are in the URL. */
import { api } from "../../api/client.ts";
import { OUTCOMES } from "../../lib/rollouts.ts";
import { query } from "../../state/location.ts";
import { useResource } from "../../state/resource.ts";
import { SelectFilter } from "../select-filter.tsx";

/** Workers seen in this time can be chosen. */
const KNOWN_RANGE = { from: "-30d", to: "now" };

/** @returns settled: read, or not to be had */
export function useWorkerNames(): { names: string[]; settled: boolean } {
  const { data, error } = useResource("known", (signal) => api.overview(KNOWN_RANGE, signal));
  return { names: data?.workers.map((w) => w.script).sort() ?? [], settled: (data ?? error) !== undefined };
}

export const isFiltered = (): boolean => query.value.script !== undefined || query.value.state !== undefined;

export function Filters({ names }: { names: string[] }) {
  return (
    <div class="rollouts-filters">
      <SelectFilter name="script" label="Worker" options={names.map((value) => ({ value, label: value }))} />
      <SelectFilter name="state" label="Outcome" options={OUTCOMES} />
    </div>
  );
}
