/** Whether a destination may take over for another. Pure. */
import type { DestinationRules, Feed } from "../contract.ts";

interface Link {
  id: string;
  name: string;
  failoverTo: string | null;
  /** Feeds that its integration can take. */
  takes: readonly Feed[];
}

export interface Asked {
  /** null: it does not exist yet. */
  id: string | null;
  standby: boolean;
  failoverTo: string | null;
  rules: Pick<DestinationRules, "feeds">;
}

/** @returns what is wrong with `asked.failoverTo`; undefined: nothing */
export function failoverProblem(asked: Asked, others: readonly Link[]): string | undefined {
  const { id, failoverTo, standby } = asked;
  if (failoverTo === null) return undefined;
  if (standby) return "A standby carries what others fail to deliver: it has no failover of its own.";
  if (failoverTo === id) return "A destination cannot take over for itself.";
  const target = others.find((one) => one.id === failoverTo);
  if (target === undefined) return `There is no destination ${failoverTo}.`;
  const cycle = cycleFrom(target, id, others);
  if (cycle !== undefined) return `${cycle.join(" → ")} → this one: a failover must not come back to where it began.`;
  const missing = asked.rules.feeds.filter((feed) => !target.takes.includes(feed));
  if (missing.length === 0) return undefined;
  return `${target.name} cannot take ${missing.join(", ")}: choose another one, or leave these out of the rules.`;
}

/** Names on the way from `start` back to `id`. */
function cycleFrom(start: Link, id: string | null, others: readonly Link[]): string[] | undefined {
  const names: string[] = [];
  const seen = new Set<string>();
  for (let at: Link | undefined = start; at !== undefined && !seen.has(at.id); ) {
    seen.add(at.id);
    names.push(at.name);
    const next: string | null = at.failoverTo;
    if (next === null) return undefined;
    if (next === id) return names;
    at = others.find((one) => one.id === next);
  }
  return undefined;
}
