/** What report.mjs says of the live tail: a row for each promise, and how they were measured. */
import { show, table } from "./numbers.mjs";

const KB = 1_000;
/** Of the stream that `latency` measures. */
const EVENTS_PER_S = 200;

export function liveRows({ latency, ingest, delivery, memory }, higher, lower) {
  const end = `end of an invocation → viewer, at ${EVENTS_PER_S} events/s`;
  lower(`${end}, p50`, `${show(latency.p50)} ms`, "limit", latency.p50, 300, 80);
  lower(`${end}, p99`, `${show(latency.p99)} ms`, "limit", latency.p99, 1_000, 250);
  const alone = `${show(ingest.alone)} events/s`;
  higher(
    "ingest over HTTP, sealed, with 100 live viewers of that Worker ÷ with none",
    `${show(ingest.watched)} events/s`,
    alone,
    ingest.ofWatched,
    0.5,
    0.8,
  );
  higher(
    "ingest over HTTP, sealed, with 1,000 live viewers of another Worker ÷ with none",
    `${show(ingest.beside)} events/s`,
    alone,
    ingest.ofBeside,
    0.95,
    1,
  );
  const delivered = `${show(delivery.delivered)} /s`;
  higher(
    "events/s that one live hub delivers, all its viewers together",
    delivered,
    "limit",
    delivery.delivered,
    20_000,
    100_000,
  );
  const heap = memory.heapAwake / KB;
  lower("memory of the live hub per idle viewer (JavaScript heap)", `${show(heap)} KB`, "limit", heap, 10, 2);
}

export function liveNotes({ latency, ingest, delivery, memory }) {
  const { viewers, offered } = delivery;
  const rows = delivery.steps.map((step) => [
    show(step.viewers),
    show(step.offered / step.viewers),
    show(step.delivered),
    `${show(step.shown * 100)} %`,
    show(step.frames),
    `${show(step.bytes / 1e6)} MB`,
  ]);
  return [
    "## Live tail",
    "",
    `Over real sockets. End of an invocation → viewer: through the tail of a small observed Worker, each invocation with a marker, requests and viewer in one process and on its clock; ${latency.notShown} events not shown. Ingest: three stacks with the same load of one Worker take turns, viewers in processes of their own, which read and acknowledge all that they are sent; each has the default rate, so of what matched the 100 were shown ${show(share(ingest) * 100)} % and told of the rest.`,
    "",
    `One hub's deliveries, as its viewers counted them; ${show(viewers)} viewers at ${show(offered / viewers)} events/s were the most:`,
    "",
    table(["viewers", "events/s of the Worker", "delivered /s", "shown of what matched", "frames/s", "text/s"], rows),
    "",
    `Memory, with ${show(memory.idle)} idle viewers: JavaScript heap of the platform's isolate after a garbage collection, per viewer, ${show(memory.heapAwake)} B with the hub awake and ${show(memory.heapHibernated)} B when it hibernates; with a filter of its own each, ${show(memory.heapOfOwnFilter)} B. Resident memory of workerd per open socket: ${show(memory.rss / KB)} KB: the connection itself with what the runtime buffers for it, on its way through Miniflare’s front, the Worker and the hub.`,
  ];
}

const share = ({ seen, notShown }) => seen / (seen + notShown);
