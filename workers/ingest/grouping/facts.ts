/**
 * What grouping is told about an occurrence (`errors/grouping/facts.ts`), from its
 * event and its invocation. `grouper.ts` asks when it does not know the answer yet.
 */
import type { ErrorFacts } from "../../errors/grouping/facts.ts";
import type { CompiledRules } from "../../errors/grouping/rules.ts";
import type { MapState } from "../../errors/symbolicate/symbolicate.ts";
import type { SourceTrace } from "../../errors/trace.ts";
import type { OwnFields } from "../../event/event.ts";
import type { Found } from "./grouper.ts";
import type { Occurrence } from "./occurrences.ts";

/** How rules name attributes. */
const ATTRIBUTE_PREFIX = "attributes.";

export function factsOf(
  { fields, events }: Found,
  { event, kind, noise, type, message }: Occurrence,
  { trace, state }: { trace: SourceTrace | null; state: MapState },
): ErrorFacts {
  const versionId = fields.version_id ?? "";
  return {
    script: fields.script,
    kind,
    noise,
    type,
    message,
    // The same stack comes with other messages.
    trace: trace === null ? null : { ...trace, type, message },
    versionId,
    waitsForMap: versionId !== "" && (state === "missing" || state === "failed"),
    entrypoint: fields.entrypoint,
    level: event.level,
    method: fields.method,
    route: fields.route,
    status: fields.status,
    outcome: fields.outcome,
    attribute: (name) => attributeIn(event, events, name),
  };
}

/** What the team's rules look at besides what every result is kept by, as a part of its key. */
export function usedBy({ uses }: CompiledRules, { fields, events }: Found, { event, message }: Occurrence): string {
  const facts: Record<string, unknown> = { ...fields, message, level: event.level };
  let used = "";
  for (const name of uses) {
    const isAttribute = name.startsWith(ATTRIBUTE_PREFIX);
    used += `\n${isAttribute ? attributeIn(event, events, name.slice(ATTRIBUTE_PREFIX.length)) : facts[name]}`;
  }
  return used;
}

/** Of the event itself, else of its invocation. */
function attributeIn(event: OwnFields, events: readonly OwnFields[], name: string) {
  return attributeOf(event, name) ?? attributeOf(events[0] as OwnFields, name);
}

function attributeOf({ attributes }: OwnFields, name: string) {
  if (attributes === undefined) return undefined;
  const at = attributes.names.indexOf(name);
  return at < 0 ? undefined : attributes.values[at];
}
