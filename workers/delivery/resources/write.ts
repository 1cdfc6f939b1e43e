/**
 * Secrets into Workers, and out again: some Workers at a time, each for itself, so
 * that one that fails is named and the others have theirs. `resources.ts` calls it;
 * `api/` hands in the writer, which speaks Cloudflare's API.
 */
import type { ResourceRow } from "../../api/contract/integrations.ts";
import { eachWithin } from "../../util/parallel.ts";
import { masker } from "../egress/mask.ts";

/** certain: nothing was done. Without it nobody knows: an answer may have been lost. */
export type Written = { ok: true } | { ok: false; message: string; certain?: boolean };

/** Never throws. */
export interface SecretWriter {
  put(script: string, name: string, text: string): Promise<Written>;
  /** A Worker or secret that is not there is success. */
  remove(script: string, name: string): Promise<Written>;
  /** Names of the secrets that the Worker has. */
  names(script: string): Promise<{ ok: true; names: string[] } | { ok: false; message: string }>;
}

export type WorkerState = ResourceRow["workers"][number];

/** A secret makes a version of the Worker; Cloudflare takes a second or two for each, and 1,200 requests in five minutes. */
const WORKERS_AT_ONCE = 4;
/** Of one Worker, all of its secrets. */
const WORKER_TIMEOUT_MS = 30_000;

/**
 * Writes all secrets into each Worker, and removes those that it had of the same
 * resource and are no more.
 * @param before what is known of Workers; one that is not in it must not lose a secret of its own
 */
export async function writeInto(
  writer: SecretWriter,
  scripts: readonly string[],
  secrets: Readonly<Record<string, string>>,
  before: readonly WorkerState[],
  now: () => number,
): Promise<WorkerState[]> {
  const mask = masker(Object.values(secrets));
  const states = await ofEach(scripts, before, async (state) => {
    const { script } = state;
    if (state.secrets.length === 0) {
      const problem = await collision(writer, script, Object.keys(secrets));
      if (problem !== null) return problem;
    }
    const stale = state.secrets.filter((name) => !Object.hasOwn(secrets, name));
    for (const [name, text] of Object.entries(secrets)) {
      // Before it is known that it was: one that nobody knows of counts as ours, so that removing takes it away.
      const isNew = !state.secrets.includes(name);
      if (isNew) state.secrets.push(name);
      const written = await writer.put(script, name, text);
      if (!written.ok && isNew && written.certain === true) state.secrets.pop();
      if (!written.ok) return `${name} was not written: ${written.message}`;
    }
    const problem = await removeEach(writer, state, stale);
    if (problem === null) state.writtenAt = now();
    return problem;
  });
  // An API may repeat what it was sent.
  return states.map((state) => ({ ...state, error: state.error === null ? null : mask(state.error) }));
}

/** @returns Workers that still have some, with what went wrong */
export async function removeFrom(writer: SecretWriter, workers: readonly WorkerState[]): Promise<WorkerState[]> {
  const scripts = workers.map(({ script }) => script);
  const states = await ofEach(scripts, workers, (state) => removeEach(writer, state, [...state.secrets]));
  return states.filter(({ secrets }) => secrets.length > 0);
}

async function removeEach(writer: SecretWriter, state: WorkerState, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    const removed = await writer.remove(state.script, name);
    if (!removed.ok) return `${name} was not removed: ${removed.message}`;
    state.secrets = state.secrets.filter((one) => one !== name);
  }
  return null;
}

/** @param work keeps the state up to date as it goes, since it may be given up at any point; answers with what went wrong */
async function ofEach(
  scripts: readonly string[],
  before: readonly WorkerState[],
  work: (state: WorkerState) => Promise<string | null>,
): Promise<WorkerState[]> {
  const states = scripts.map((script): WorkerState => {
    const known = before.find((state) => state.script === script);
    return { script, secrets: [...(known?.secrets ?? [])], writtenAt: known?.writtenAt ?? 0, error: null };
  });
  const bounds = { width: WORKERS_AT_ONCE, timeoutMs: WORKER_TIMEOUT_MS };
  const failures = await eachWithin(states, bounds, async (state) => {
    state.error = await work(state);
  });
  // Copies: work that was given up may go on.
  return states.map((state) => {
    const failed = failures.find(({ item }) => item === state)?.error;
    return { ...state, error: failed ?? state.error };
  });
}

/** A secret of the same name that is not ours is somebody's: it is neither overwritten nor, later, removed. */
async function collision(writer: SecretWriter, script: string, wanted: readonly string[]): Promise<string | null> {
  const found = await writer.names(script);
  if (!found.ok) return found.message;
  const taken = wanted.filter((name) => found.names.includes(name));
  if (taken.length === 0) return null;
  return `It has ${taken.join(" and ")} already, of somebody else: choose another prefix (Advanced), or delete it there first.`;
}
