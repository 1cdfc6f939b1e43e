/** D1: which source maps there are, and which are on their way; a part of `schema.ts`. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Source maps by the version and file that they are for. The objects lie in R2 under their hash (errors/maps/). */
export const sourceMaps = sqliteTable(
  "source_maps",
  {
    script: text("script").notNull(),
    versionId: text("version_id").notNull(),
    /** Name of the generated file as stacks have it: `index.js`. */
    file: text("file").notNull(),
    /** SHA-256 of the original map, hex. */
    hash: text("hash").notNull(),
    bytes: integer("bytes").notNull(),
    /** SHA-256 of the seekable form, hex. */
    seekableHash: text("seekable_hash").notNull(),
    seekableBytes: integer("seekable_bytes").notNull(),
    debugId: text("debug_id").notNull().default(""),
    sources: integer("sources").notNull(),
    mappings: integer("mappings").notNull(),
    uploadedAt: integer("uploaded_at").notNull(),
    uploadedBy: text("uploaded_by").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.script, t.versionId, t.file] }),
    index("source_maps_hash").on(t.hash),
    index("source_maps_seekable").on(t.seekableHash),
  ],
);

/** Blobs that are being uploaded in parts, by whom: nobody can spoil what another one sends. */
export const sourceMapUploads = sqliteTable(
  "source_map_uploads",
  {
    /** SHA-256 of the whole, hex. */
    hash: text("hash").notNull(),
    /** Of whose credential (errors/maps/blobs.ts). */
    owner: text("owner").notNull(),
    /** Of R2's multipart upload. */
    uploadId: text("upload_id").notNull(),
    bytes: integer("bytes").notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hash, t.owner] })],
);

export const sourceMapParts = sqliteTable(
  "source_map_parts",
  {
    hash: text("hash").notNull(),
    owner: text("owner").notNull(),
    /** From 1. */
    part: integer("part").notNull(),
    etag: text("etag").notNull(),
  },
  (t) => [primaryKey({ columns: [t.hash, t.owner, t.part] })],
);
