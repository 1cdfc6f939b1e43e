/**
 * Items → groups of one resource each: a version of a Worker, as an OpenTelemetry
 * service. The order of items is kept within a group.
 */
import type { EventItem } from "../contract.ts";
import { Attributes, type ResourceGroup } from "./records.ts";

export interface ResourceOptions {
  /** `deployment.environment.name`; "" when nobody said. */
  environment: string;
}

export function groupByResource<T>(
  items: readonly EventItem[],
  options: ResourceOptions,
  recordOf: (item: EventItem) => T,
): ResourceGroup<T>[] {
  const groups = new Map<string, ResourceGroup<T>>();
  const tagTexts = new Map<EventItem["tags"], string>();
  for (const item of items) {
    const { event, tags } = item;
    let tagText = tagTexts.get(tags);
    if (tagText === undefined) {
      tagText = JSON.stringify(tags);
      tagTexts.set(tags, tagText);
    }
    const key = `${event.script}\n${event.version_id ?? ""}\n${event.version_tag ?? ""}\n${tagText}`;
    let group = groups.get(key);
    if (group === undefined) {
      group = { resource: resourceOf(item, options), records: [] };
      groups.set(key, group);
    }
    group.records.push(recordOf(item));
  }
  return [...groups.values()];
}

function resourceOf({ event, tags }: EventItem, { environment }: ResourceOptions): Attributes {
  const own = new Map<string, string | undefined>([
    ["service.name", event.script],
    ["service.version", event.version_id],
    ["cloud.provider", "cloudflare"],
    ["cloud.platform", "cloudflare.workers"],
    ["faas.name", event.script],
    ["faas.version", event.version_id],
    ["cloudflare.script_version.tag", event.version_tag],
    ["deployment.environment.name", environment],
  ]);
  // What somebody set for this destination has the last word.
  for (const name of Object.keys(tags)) own.set(name, tags[name]);
  const out = new Attributes();
  for (const [name, value] of own) out.add(name, value);
  return out;
}
