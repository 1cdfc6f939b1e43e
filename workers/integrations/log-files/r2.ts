/**
 * A batch → objects in the team's own bucket, one for each Worker and hour of the
 * events. An object is named after its first item and the destination: a batch that is tried again,
 * also one that has grown or shrunk meanwhile, begins with the same items in the
 * same order, and so writes over what the first try wrote. That is why the
 * destination is `ordered`: what stands before an item never changes behind it; and
 * why a batch is of one source (`linger`): two may hold items of one Worker. A try
 * that is shorter than the one before takes lines away for as long as it takes the
 * next batch to bring them: nobody had been told that they are there.
 */

import { rootMessage } from "../../util/error-message.ts";
import type { EventItem, Failure, Io, Item, Linger, SendResult, Values } from "../contract.ts";
import { gzip } from "../sending/gzip.ts";
import { again, delivered, Outcomes } from "../sending/outcomes.ts";
import { short } from "../sending/said.ts";
import { stackTexts } from "../sending/stack-text.ts";
import { timeText } from "./entry.ts";
import { type Format, formatOf } from "./format.ts";

export const DEFAULT_FOLDER = "logs";
/** A file a minute and Worker: 43,200 a month of one that is always busy, some 0.20 $ of R2's writes. */
export const DEFAULT_LINGER_S = 60;
export const MAX_LINGER_S = 900;
/** Rough, before compression. */
const LINGER_BYTES = 1 << 20;

/** Whatever was typed. */
export function lingerOf({ linger }: Values): Linger {
  const seconds = Number(linger || DEFAULT_LINGER_S);
  const isSense = seconds >= 0 && seconds <= MAX_LINGER_S;
  return { ms: (isSense ? seconds : DEFAULT_LINGER_S) * 1_000, bytes: LINGER_BYTES };
}

export async function writeObjects(values: Values, items: readonly Item[], io: Io): Promise<SendResult> {
  const outcomes = new Outcomes(items.length);
  const events = items as readonly EventItem[];
  const stacks = await stackTexts(events, io);
  const format = formatOf(values);
  for (const [folder, indices] of partition(events)) {
    const chosen = indices.map((index) => events[index] as EventItem);
    const name = `${nameOf(chosen[0] as EventItem)}-${safe(io.source)}.${format.extension}`;
    outcomes.requested();
    const failure = await put(values, `${folder}/${name}`, format.write(chosen, stacks), format, io);
    outcomes.set(indices, failure === undefined ? delivered : again(failure));
  }
  return outcomes.result();
}

export async function put(
  values: Values,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  { contentType }: Pick<Format, "contentType">,
  io: Io,
): Promise<Failure | undefined> {
  const folder = (values.folder ?? DEFAULT_FOLDER).replace(/^\/+|\/+$/g, "") || DEFAULT_FOLDER;
  const packed = values.compression !== "none";
  try {
    await io.putObject(
      `${folder}/${path}${packed ? ".gz" : ""}`,
      packed ? gzip(body) : body,
      packed ? "application/gzip" : contentType,
    );
    return undefined;
  } catch (error) {
    return { kind: "unavailable", message: `R2 did not take the object: ${short(rootMessage(error))}`, status: 0 };
  }
}

/** `worker=shop/date=2026-11-21/hour=12`: as tools that read buckets know partitions. */
function partition(items: readonly EventItem[]): Map<string, number[]> {
  const folders = new Map<string, number[]>();
  for (const [index, { event }] of items.entries()) {
    const time = timeText(Math.max(0, Math.round(event.time)));
    const folder = `worker=${safe(event.script)}/date=${time.slice(0, 10)}/hour=${time.slice(11, 13)}`;
    const known = folders.get(folder);
    if (known === undefined) folders.set(folder, [index]);
    else known.push(index);
  }
  return folders;
}

/** By time, then id: a listing is in order. Whose it is comes behind: two destinations may write to one folder, and begin with the same item. */
function nameOf({ event, id }: EventItem): string {
  return `${timeText(Math.max(0, Math.round(event.time))).replace(/[-:]/g, "")}-${id}`;
}

const safe = (script: string): string => script.replace(/[^\w.-]/g, "_") || "_";
