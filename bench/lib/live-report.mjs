/** What report.mjs says of the live tail: a row for each promise, and how they were measured. */
import { show, table } from "./numbers.mjs";

const KB = 1_000;
/** Of the stream that `latency` measures. */
const EVENTS_PER_S = 200;

/** What was not measured has no row. */
export function liveRows({ latency, ingest, delivery, memory }, higher, lower) {
  if (latency) {
    const end = `end of an invocation → viewer, at ${EVENTS_PER_S} events/s`;
    lower(`${end}, p50`, `${show(latency.p50)} ms`, "limit", latency.p50, 300, 80);
    lower(`${end}, p99`, `${show(latency.p99)} ms`, "limit", latency.p99, 1_000, 250);
  }
  if (ingest) {
    const row = (who, rate, ratio, floor, aim) =>
      higher(
        `ingest over HTTP, sealed, with ${who} ÷ with none`,
        `${show(rate)} events/s`,
        `${show(ingest.alone)} events/s`,
        ratio,
        floor,
        aim,
      );
    row("100 live viewers of that Worker (one filter)", ingest.watched, ingest.ofWatched, 0.5, 0.8);
    row("1,000 live viewers of another Worker", ingest.beside, ingest.ofBeside, 0.95, 1);
  }
  if (delivery) {
    const rate = `${show(delivery.delivered)} /s`;
    const name = "events/s that one live hub delivers, all its viewers together";
    higher(name, rate, "limit", delivery.delivered, 20_000, 100_000);
  }
  if (memory) {
    const heap = memory.heapAwake / KB;
    lower("memory of the live hub per idle viewer (JavaScript heap)", `${show(heap)} KB`, "limit", heap, 10, 2);
  }
}

export function liveNotes({ latency, ingest, delivery, memory }) {
  const notes = ["## Live tail", "", "Over real sockets."];
  if (latency) notes.push("", latencyNote(latency));
  if (ingest) notes.push("", ingestNote(ingest));
  if (delivery) notes.push("", ...deliveryNotes(delivery));
  if (memory) notes.push("", memoryNote(memory));
  return notes;
}

const latencyNote = ({ notShown }) =>
  `End of an invocation → viewer: through the tail of a small observed Worker, each invocation with a marker, requests and viewer in one process and on its clock; ${notShown} events not shown.`;

function ingestNote({ ofDistinct, seen, notShown }) {
  const shown = show((100 * seen) / (seen + notShown));
  return `Ingest: stacks with the same load of one Worker take turns, viewers in processes of their own, which read and acknowledge all that they are sent. The 100 share one filter and the default rate of 500 events/s, so of what matched each was shown ${shown} % and told of the rest: what is thinned and written for one serves all, the best case. With 100 different filters, each of which matches nearly everything, the ratio is ${show(ofDistinct)}.`;
}

function deliveryNotes({ viewers, offered, steps }) {
  const rows = steps.map((step) => [
    show(step.viewers),
    show(step.offered / step.viewers),
    show(step.delivered),
    `${show(step.shown * 100)} %`,
    show(step.frames),
    `${show(step.bytes / 1e6)} MB`,
  ]);
  return [
    `One hub's deliveries, as its viewers counted them, all with the same filter; ${show(viewers)} viewers at ${show(offered / viewers)} events/s were the most:`,
    "",
    table(["viewers", "events/s of the Worker", "delivered /s", "shown of what matched", "frames/s", "text/s"], rows),
  ];
}

const memoryNote = ({ idle, heapAwake, heapHibernated, heapOfOwnFilter, rss }) =>
  `Memory, with ${show(idle)} idle viewers: JavaScript heap of the platform's isolate after a garbage collection, per viewer, ${show(heapAwake)} B with the hub awake and ${show(heapHibernated)} B when it hibernates; with a filter of its own each, ${show(heapOfOwnFilter)} B. Resident memory of workerd per open socket: ${show(rss / KB)} KB, the connection itself with what the runtime buffers for it, on its way through Miniflare's front, the Worker and the hub.`;
