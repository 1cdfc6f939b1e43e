/** The part of the contract that is about source maps. Others import it from `contract.ts`. */

/** GET /api/v1/workers/:script/versions/:version/sourcemaps */
export interface SourceMapInfo {
  file: string;
  /** SHA-256 of the original, hex. */
  hash: string;
  bytes: number;
  seekableBytes: number;
  debugId: string;
  sources: number;
  mappings: number;
  uploadedAt: number;
  uploadedBy: string;
}
export interface SourceMapsAnswer {
  maps: SourceMapInfo[];
}

/**
 * Upload in parts, resumable and idempotent:
 *   POST /api/v1/sourcemaps/blobs {hash, bytes}              → BlobAnswer: what is still missing
 *   PUT  /api/v1/sourcemaps/blobs/:hash/:part  (raw bytes)    → BlobAnswer
 *   POST /api/v1/workers/:script/versions/:version/sourcemaps RegisterRequest, once both blobs are complete → SourceMapInfo
 * or, for small maps of any build, the map itself:
 *   PUT  /api/v1/workers/:script/versions/:version/sourcemaps/:file (application/json, gzip allowed) → SourceMapInfo
 */
export interface BlobRequest {
  hash: string;
  bytes: number;
}
export interface BlobAnswer {
  complete: boolean;
  /** Every part but the last has this many bytes. */
  partBytes: number;
  /** Numbers from 1. */
  missing: number[];
}
export interface RegisterRequest {
  file: string;
  hash: string;
  bytes: number;
  seekableHash: string;
  seekableBytes: number;
  debugId?: string;
  sources: number;
  mappings: number;
}
