/**
 * Source maps of a version: upload in parts, register, list, delete, and the map
 * as it is for builds without the `tailrace` command. `errors/maps/` does the
 * work; a map that is new or better sends stored errors through regrouping.
 */
import { hash as digest } from "node:crypto";
import * as v from "valibot";
import { regroupAll } from "../../errors/issues/regroup.ts";
import { announceBlob, type BlobResult, putPart } from "../../errors/maps/blobs.ts";
import { MAX_BLOB_BYTES, MAX_FILE_CHARS, PART_BYTES } from "../../errors/maps/limits.ts";
import { forgetVersion } from "../../errors/maps/lookup.ts";
import { putRawMap, type RawResult } from "../../errors/maps/raw.ts";
import { listMaps, type RegisterResult, registerMap, removeMap, type VersionOf } from "../../errors/maps/register.ts";
import { audit } from "../audit.ts";
import { type ApiContext, type Handler, principalOf } from "../context.ts";
import type { SourceMapsAnswer } from "../contract.ts";
import { type Failure, type FailureTag, fail, logFailure } from "../errors.ts";
import { plainText, readJson, readParams, scriptName, wholeNumber } from "../input.ts";

const MAX_PARTS = Math.ceil(MAX_BLOB_BYTES / PART_BYTES);
/** A count of sources or mappings; the format's own limits are below it. */
const MAX_COUNT = 2 ** 31;
/** Of a SHA-256: enough that no two owners are taken for one. */
const OWNER_CHARS = 32;
/** What a sender is asked to wait while others are being converted, or R2 does not answer. */
const RETRY_AFTER_S = 3;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "A SHA-256 is expected: 64 characters of lower-case hex."));
const bytes = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_BLOB_BYTES));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_COUNT));
const file = plainText(MAX_FILE_CHARS);

const OfVersion = v.object({ script: scriptName, version: plainText(100) });
const OfFile = v.object({ ...OfVersion.entries, file });
const Part = v.object({ hash, part: wholeNumber(1, MAX_PARTS) });
const Announcement = v.strictObject({ hash, bytes });
const Registration = v.strictObject({
  file,
  hash,
  bytes,
  seekableHash: hash,
  seekableBytes: bytes,
  debugId: v.optional(v.pipe(v.string(), v.maxLength(100))),
  sources: count,
  mappings: count,
});

export const announceSourceMapBlob: Handler = async (c) => {
  const body = await readJson(c, Announcement);
  if (!body.ok) return body.failure;
  return answerBlob(c, await announceBlob(c.env, body.value, ownerOf(c), Date.now()));
};

export const putSourceMapPart: Handler = async (c) => {
  const params = readParams(c, Part);
  if (!params.ok) return params.failure;
  const length = Number(c.req.header("content-length") ?? Number.NaN);
  const { body } = c.req.raw;
  if (body === null || !(length > 0))
    return fail("bad_request", "Send the part's bytes as the body, with a Content-Length.");
  const { hash, part } = params.value;
  return answerBlob(c, await putPart(c.env, { hash, part, owner: ownerOf(c) }, body, length));
};

export const registerSourceMap: Handler = async (c) => {
  const params = readParams(c, OfVersion);
  if (!params.ok) return params.failure;
  const body = await readJson(c, Registration);
  if (!body.ok) return body.failure;
  const by = { actor: principalOf(c).actor, now: Date.now() };
  const version = versionOf(params.value);
  return answerMap(c, version, await registerMap(c.env, version, body.value, by));
};

export const putSourceMap: Handler = async (c) => {
  const params = readParams(c, OfFile);
  if (!params.ok) return params.failure;
  const by = { actor: principalOf(c).actor, now: Date.now() };
  const version = versionOf(params.value);
  return answerMap(c, version, await putRawMap(c.env, version, params.value.file, c.req.raw, by));
};

export const listSourceMaps: Handler = async (c) => {
  const params = readParams(c, OfVersion);
  if (!params.ok) return params.failure;
  const maps = await listMaps(c.env, versionOf(params.value));
  return c.json({ maps } satisfies SourceMapsAnswer);
};

export const deleteSourceMap: Handler = async (c) => {
  const params = readParams(c, OfFile);
  if (!params.ok) return params.failure;
  const version = versionOf(params.value);
  const { file } = params.value;
  const { script, versionId } = version;
  if (!(await removeMap(c.env, version, file)))
    return fail("not_found", `Version ${versionId} of ${script} has no source map of ${file}.`);
  forgetVersion(script, versionId);
  const { actor } = principalOf(c);
  const target = `${script} ${versionId} ${file}`;
  await audit(c.env, { at: Date.now(), actor, action: "sourcemap.delete", target });
  return c.body(null, 204);
};

/** Whose upload it is: the token's, or the person's. Names of people hold anything; this may be part of a key. */
function ownerOf(c: ApiContext): string {
  const { tokenId, actor } = principalOf(c);
  return digest("sha256", tokenId === undefined ? `actor ${actor}` : `token ${tokenId}`, "hex").slice(0, OWNER_CHARS);
}

const versionOf = ({ script, version }: { script: string; version: string }): VersionOf => ({
  script,
  versionId: version,
});

/** Exhaustive: a new problem does not compile until it is here. */
const BLOB_TAGS = { wrong: "bad_request", lost: "incomplete" } as const satisfies Record<
  Extract<BlobResult, { ok: false }>["problem"],
  FailureTag
>;

function answerBlob(c: ApiContext, result: BlobResult): Response | Failure {
  return result.ok ? c.json(result.answer) : fail(BLOB_TAGS[result.problem], result.message);
}

const MAP_TAGS = {
  incomplete: "incomplete",
  unusable: "bad_request",
  unread: "unavailable",
  too_many: "bad_request",
  invalid: "bad_request",
  unreadable: "bad_request",
  bad_encoding: "unsupported_encoding",
  too_large: "body_too_large",
  busy: "overloaded",
} as const satisfies Record<Extract<RawResult | RegisterResult, { ok: false }>["problem"], FailureTag>;

async function answerMap(c: ApiContext, version: VersionOf, result: RawResult): Promise<Response | Failure> {
  if (!result.ok) {
    const { problem, message, problems } = result;
    const details = problems === undefined ? undefined : { problems };
    const passes = problem === "busy" || problem === "unread";
    return fail(MAP_TAGS[problem], message, { details, retryAfterS: passes ? RETRY_AFTER_S : undefined });
  }
  const { info, change } = result;
  if (change === "none") return c.json(info);
  const { script, versionId } = version;
  forgetVersion(script, versionId);
  // The sender does not wait for it; should it not come to its end, the hourly cron goes on with it.
  const regrouped = regroupAll(c.env, script, versionId, Date.now());
  c.executionCtx.waitUntil(regrouped.catch((error: unknown) => logFailure(c, error)));
  const { actor } = principalOf(c);
  const target = `${script} ${versionId} ${info.file}`;
  const detail = { change, hash: info.hash, bytes: info.bytes };
  await audit(c.env, { at: info.uploadedAt, actor, action: "sourcemap.upload", target, detail });
  return c.json(info, 201);
}
