/**
 * What the pages of integrations read: the catalog, once; destinations and
 * resources again every few seconds while they are looked at, and at once when
 * something of them was changed here.
 */
import { signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { CatalogEntry, DestinationRow } from "../../../workers/api/contract.ts";
import { api } from "../api/client.ts";
import { type DestinationVerb, integrationsApi } from "../api/integrations.ts";
import { byTrouble } from "../lib/integrations.ts";
import { useEvery } from "./every.ts";
import { asFailure, useResource } from "./resource.ts";
import { session } from "./session.ts";
import { toast } from "./toasts.ts";

const LIST_EVERY_MS = 5000;
const ONE_EVERY_MS = 2000;
const STATUS_EVERY_MS = 5000;
/** Workers seen in this time can be chosen. */
const KNOWN_RANGE = { from: "-30d", to: "now" };

const changes = signal(0);

/** Something was changed here: what is shown of it is read again. */
export function integrationsChanged(): void {
  changes.value = changes.peek() + 1;
}

/** Who may change what is set up. */
export const mayChange = (): boolean => session.value?.scope === "admin";

let catalog: Promise<CatalogEntry[]> | undefined;

/** The catalog is part of the release: read once per visit. */
function readCatalog(): Promise<CatalogEntry[]> {
  catalog ??= integrationsApi.catalog().then((a) => a.integrations);
  catalog.catch(() => {
    catalog = undefined;
  });
  return catalog;
}

export const useCatalog = () => useResource("catalog", readCatalog);

export function useDestinations() {
  const resource = useResource(
    "destinations",
    (s) => integrationsApi.destinations(s),
    useEvery(LIST_EVERY_MS),
    changes.value,
  );
  const destinations = useMemo(() => [...(resource.data?.destinations ?? [])].sort(byTrouble), [resource.data]);
  return { ...resource, destinations };
}

export const useDestination = (id: string) =>
  useResource(id, (s) => integrationsApi.destination(id, s), useEvery(ONE_EVERY_MS), changes.value);

export const useResources = () =>
  useResource("resources", (s) => integrationsApi.resources(s), useEvery(LIST_EVERY_MS), changes.value);

/** Cloudflare is asked for it: once, and when something was changed. */
export const useConnections = () => useResource("connections", (s) => integrationsApi.connections(s), 0, changes.value);

export const useStatus = () => useResource("status", (s) => integrationsApi.status(s), useEvery(STATUS_EVERY_MS));

/** Workers to choose from: those that were seen, and those of the account, Tailrace itself left out. */
export function useKnownWorkers(): { names: string[]; settled: boolean } {
  const seen = useResource("known", (s) => api.overview(KNOWN_RANGE, s));
  const account = useConnections();
  const names = useMemo(() => {
    const own = new Set(account.data?.connections.filter((c) => c.self).map((c) => c.script));
    const all = [
      ...(seen.data?.workers.map((w) => w.script) ?? []),
      ...(account.data?.connections.map((c) => c.script) ?? []),
    ];
    return [...new Set(all)].filter((name) => !own.has(name)).sort();
  }, [seen.data, account.data]);
  return { names, settled: (seen.data ?? seen.error) !== undefined };
}

/** Does it, says so, and reads again. False when it did not go through. */
export async function act(said: string, work: () => Promise<unknown>, undo?: () => void): Promise<boolean> {
  try {
    await work();
    toast({ text: said, ...(undo === undefined ? {} : { action: { label: "Undo", run: undo } }) });
    return true;
  } catch (error) {
    toast({ text: asFailure(error).message, tone: "bad" });
    return false;
  } finally {
    integrationsChanged();
  }
}

const SAID: Record<DestinationVerb, string> = { pause: "Paused", resume: "Goes on", retry: "Trying now" };

/** A pause is taken back by going on, and the other way round. */
export function command(row: Pick<DestinationRow, "id" | "name">, verb: DestinationVerb): Promise<boolean> {
  const back = verb === "pause" ? "resume" : verb === "resume" ? "pause" : undefined;
  return act(
    `${SAID[verb]}: ${row.name}`,
    () => integrationsApi.command(row.id, verb),
    back === undefined ? undefined : () => void command(row, back),
  );
}
