/**
 * One blob to the server: asks what is missing, sends that. The state is the
 * server's alone, so a killed upload goes on from another process or machine,
 * and one that is there already costs one question.
 */
import type { BlobAnswer, BlobRequest } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { ApiFailure } from "../api/failures.ts";
import { CliFailure } from "../failure.ts";
import type { HashedBlob } from "./convert.ts";
import type { Gate } from "./gate.ts";

/** The server may lose an upload (a week passed, two sent the same part at once): it is begun again, but not for ever. */
const MAX_ROUNDS = 3;

/** Bytes that the server has, of all. */
export type BlobProgress = (done: number, total: number) => void;

export interface SentBlob {
  sent: number;
  /** Bytes that were there before. */
  found: number;
}

export async function sendBlob(
  api: ApiClient,
  { hash, bytes }: HashedBlob,
  lines: Gate,
  onProgress: BlobProgress,
): Promise<SentBlob> {
  let sent = 0;
  let found: number | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const announced = await announce(api, { hash, bytes: bytes.byteLength });
    found ??= announced.complete ? bytes.byteLength : bytes.byteLength - bytesOf(announced, bytes.byteLength);
    if (announced.complete) return { sent, found };
    let there = bytes.byteLength - bytesOf(announced, bytes.byteLength);
    onProgress(there, bytes.byteLength);
    const sendPart = async (part: number): Promise<BlobAnswer | undefined> => {
      const from = (part - 1) * announced.partBytes;
      const slice = bytes.subarray(from, from + announced.partBytes);
      const answer = await lines.run(1, () => orLost(put(api, hash, part, slice)));
      if (answer === undefined) return undefined;
      sent += slice.byteLength;
      there += slice.byteLength;
      onProgress(there, bytes.byteLength);
      return answer;
    };
    const answers = await allOrFirstFailure(announced.missing.map(sendPart));
    if (answers.some((answer) => answer?.complete)) return { sent, found };
  }
  throw new CliFailure(
    `the server does not keep the parts of ${hash}; try again, and if it stays so, look into its log`,
  );
}

const announce = (api: ApiClient, json: BlobRequest) =>
  api.call<BlobAnswer>("POST", "/api/v1/sourcemaps/blobs", { json });

const put = (api: ApiClient, hash: string, part: number, bytes: Uint8Array) =>
  api.call<BlobAnswer>("PUT", `/api/v1/sourcemaps/blobs/${hash}/${part}`, { bytes });

/** 409: the upload is gone; the next round begins it anew. */
async function orLost<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 409) return undefined;
    throw error;
  }
}

/** None is left running behind: what is under way ends before the first failure is told. */
async function allOrFirstFailure<T>(work: Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(work);
  for (const result of settled) if (result.status === "rejected") throw result.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<T>).value);
}

function bytesOf({ missing, partBytes }: BlobAnswer, total: number): number {
  const last = Math.ceil(total / partBytes);
  return missing.reduce((sum, part) => sum + (part < last ? partBytes : total - (last - 1) * partBytes), 0);
}
