/** What bounds the storage of source maps and their upload. The command goes by what the answers say, not by these. */
import { MAX_SOURCE_MAP_BYTES } from "../source-map/limits.ts";

/**
 * One request of an upload. R2 takes parts from 5 MiB; Cloudflare's own limit of
 * a request is 100 MB; what is lost with a broken connection is one part.
 */
export const PART_BYTES = 8 << 20;

/** One blob: the original map is the largest. */
export const MAX_BLOB_BYTES = MAX_SOURCE_MAP_BYTES;

/**
 * A map that is sent as it is and converted by the Worker. Text, parsed JSON and
 * tables lie side by side in 128 MB that other requests share: larger ones are
 * for the command.
 */
export const MAX_RAW_BYTES = 8 << 20;

/** Files of one version: a bundle that is split into chunks has hundreds. */
export const MAX_FILES_PER_VERSION = 2_000;

/** Frames name files by path or URL. */
export const MAX_FILE_CHARS = 512;

/** An upload in parts that nobody went on with: R2 forgets it after seven days by itself. */
export const UPLOAD_KEPT_MS = 2 * 86_400_000;

/** The largest map takes under four minutes at 10 Mbit/s, and the command gives up after half a one: a short outage of R2 costs no second sending. */
export const JOIN_PATIENCE_MS = 10 * 60_000;

/** A blob that no map refers to is deleted when it is this old. */
export const UNUSED_KEPT_MS = 2 * 86_400_000;

/**
 * An unused blob that is older is sent again instead of relied on, so that the
 * sweep never takes one away that somebody is about to refer to.
 */
export const UNUSED_TRUSTED_MS = UNUSED_KEPT_MS / 2;

/** Raw maps that an isolate converts at the same time. */
export const MAX_CONVERTING = 2;
/** Half a second of work, and a slow line before it: one that takes longer counts as gone. */
export const CONVERTING_MS = 60_000;
