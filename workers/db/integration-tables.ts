/** D1's part of integrations: what is set up, and what must stay readable until it is delivered. A part of `schema.ts`. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Where things are sent. How far each is lies in its Courier (`delivery/`). */
export const destinations = sqliteTable("destinations", {
  id: text("id").primaryKey(),
  /** Id of the catalog. */
  integration: text("integration").notNull(),
  name: text("name").notNull(),
  /** DESTINATION_STATES (api/contract/integrations.ts). */
  state: text("state").notNull(),
  standby: integer("standby").notNull().default(0),
  failoverTo: text("failover_to"),
  /** JSON, DestinationRules. */
  rules: text("rules").notNull(),
  /** JSON: fields that are no secret. */
  fieldValues: text("field_values").notNull(),
  /** JSON: field → sealed text (secrets/seal.ts, purpose `destination:<id>:<field>`). */
  sealed: text("sealed").notNull(),
  /** Grows with each change. */
  revision: integer("revision").notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by").notNull(),
  updatedAt: integer("updated_at").notNull(),
  /** ms: also what happened since then; null: from `createdAt` on. */
  backfillFrom: integer("backfill_from"),
  /** JSON, DestinationHealth, as its Courier last wrote it; "" before that. */
  health: text("health").notNull().default(""),
});

/** Credentials that were written into Workers. */
export const resources = sqliteTable("resources", {
  id: text("id").primaryKey(),
  integration: text("integration").notNull(),
  name: text("name").notNull(),
  fieldValues: text("field_values").notNull(),
  /** JSON: field → sealed text, purpose `resource:<id>:<field>`. */
  sealed: text("sealed").notNull(),
  /** JSON: ResourceRow["workers"]. */
  workers: text("workers").notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by").notNull(),
  rotatedAt: integer("rotated_at"),
});

/** Workers whose tail consumers Tailrace changed, so that disconnecting undoes just that. */
export const workerConnections = sqliteTable("worker_connections", {
  script: text("script").primaryKey(),
  connectedAt: integer("connected_at").notNull(),
  connectedBy: text("connected_by").notNull(),
});

/**
 * Every segment that an Ingester sealed while there were destinations, by where it stood in the log: compaction
 * takes it from the catalog, and its object stays until all destinations are past it (store/sealed-log.ts).
 */
export const sealedLog = sqliteTable(
  "sealed_log",
  {
    shard: text("shard").notNull(),
    /** The chunk of the log: several segments where it was of several hours. */
    firstId: integer("first_id").notNull(),
    lastId: integer("last_id").notNull(),
    key: text("key").notNull(),
    script: text("script").notNull(),
    rows: integer("rows").notNull(),
    bytes: integer("bytes").notNull(),
    /** µs. */
    minTime: integer("min_time").notNull(),
    maxTime: integer("max_time").notNull(),
    /** 1 when it holds exceptions or failed invocations. */
    errors: integer("errors").notNull(),
    /** ms. */
    sealedAt: integer("sealed_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.shard, t.firstId, t.key] }), index("sealed_log_key").on(t.key)],
);

/** Segments of the catalog that a back-fill is to read, in order. */
export const backfillSegments = sqliteTable(
  "backfill_segments",
  {
    destination: text("destination").notNull(),
    number: integer("number").notNull(),
    key: text("key").notNull(),
    script: text("script").notNull(),
    rows: integer("rows").notNull(),
    bytes: integer("bytes").notNull(),
    minTime: integer("min_time").notNull(),
    maxTime: integer("max_time").notNull(),
  },
  (t) => [primaryKey({ columns: [t.destination, t.number] }), index("backfill_segments_key").on(t.key)],
);
