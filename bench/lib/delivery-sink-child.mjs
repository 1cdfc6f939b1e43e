/**
 * Receivers of deliveries in a process of their own, so that what they cost is on
 * the other core: one takes (OTLP and Sentry's envelopes), one hangs. They keep
 * what they are sent as it comes, and look into it when they are asked.
 */
import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import { decodeOtlp } from "../../test/support/otlp-requests.ts";

const UID = "log.record.uid";

/** @type {{ path: string, body: Buffer, gzip: boolean }[]} */
let taken = [];
let requests = 0;
let isDown = false;

const answers = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    requests += 1;
    if (isDown) {
      response.writeHead(503).end();
      return;
    }
    taken.push({
      path: request.url,
      body: Buffer.concat(chunks),
      gzip: request.headers["content-encoding"] === "gzip",
    });
    const isOtlp = request.url.startsWith("/v1/");
    response.writeHead(200, { "content-type": isOtlp ? "application/x-protobuf" : "application/json" });
    response.end(isOtlp ? "" : "{}");
  });
});
/** Takes the connection, reads, and never says a word. */
const hangs = createServer((request) => request.resume());

/** Ids of all that was taken: in all, and how many are different. */
function tally() {
  const ids = new Map();
  let items = 0;
  const add = (id) => {
    items += 1;
    ids.set(id, (ids.get(id) ?? 0) + 1);
  };
  for (const { path, body, gzip } of taken) {
    const bytes = gzip ? gunzipSync(body) : body;
    if (path.startsWith("/v1/logs")) records("logs", bytes, (record) => add(uidOf(record)));
    else if (path.startsWith("/v1/traces")) records("traces", bytes, (span) => add(`span ${span.spanId}`));
    else for (const id of eventIds(bytes)) add(id);
  }
  return { items, distinct: ids.size, requests, bytes: taken.reduce((sum, { body }) => sum + body.length, 0) };
}

function records(signal, bytes, each) {
  for (const group of decodeOtlp(signal, "protobuf", bytes)) for (const record of group.records) each(record);
}

const uidOf = ({ attributes }) => attributes.find(({ key }) => key === UID)?.value.stringValue;

/** Of Sentry's envelopes: the header names the event. */
function eventIds(bytes) {
  const [header] = bytes.toString().split("\n", 1);
  const id = JSON.parse(header).event_id;
  return id === undefined ? [] : [id];
}

process.on("message", ({ say }) => {
  if (say === "down") isDown = true;
  if (say === "up") isDown = false;
  if (say === "forget") {
    taken = [];
    requests = 0;
  }
  process.send(say === "tally" ? tally() : {});
});
process.on("disconnect", () => process.exit());

answers.listen(0, "127.0.0.1", () => {
  hangs.listen(0, "127.0.0.1", () => {
    process.send({ port: answers.address().port, hanging: hangs.address().port });
  });
});
