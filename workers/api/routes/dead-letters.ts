/** `/api/v1/destinations/:id/dead-letters`: what a receiver will never take as it is. Seen, changed, sent again, thrown away. Its Courier holds them. */
import type { CourierRpc } from "../../delivery/contract.ts";
import type { AuditAction } from "../audit.ts";
import type { Handler } from "../context.ts";
import type { DeadLetterAnswer, DeadLetterSelection, DeadLettersAnswer, DeadLettersChanged } from "../contract.ts";
import { ask, REPLAY_TIMEOUT_MS } from "../destinations/courier.ts";
import { LetterBody, LettersParams, OneLetter, SelectionBody } from "../destinations/input.ts";
import { type Failure, fail } from "../errors.ts";
import { readJson, readParams } from "../input.ts";
import { find, note } from "./destinations.ts";

export const listDeadLetters: Handler = async (c) => {
  const params = readParams(c, LettersParams);
  if (!params.ok) return params.failure;
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { before, limit } = params.value;
  const page = before === undefined ? { limit } : { before, limit };
  const asked = await ask(c, found.stored.id, (courier) => courier.deadLetters(page));
  return asked.ok ? c.json(asked.value satisfies DeadLettersAnswer) : asked.failure;
};

export const getDeadLetter: Handler = async (c) => {
  const params = readParams(c, OneLetter);
  if (!params.ok) return params.failure;
  const found = await find(c);
  if (!found.ok) return found.failure;
  const { letter } = params.value;
  const asked = await ask(c, found.stored.id, (courier) => courier.deadLetter(letter));
  if (!asked.ok) return asked.failure;
  return asked.value === null ? noSuchLetter(letter) : c.json({ deadLetter: asked.value } satisfies DeadLetterAnswer);
};

export const putDeadLetter: Handler = async (c) => {
  const params = readParams(c, OneLetter);
  if (!params.ok) return params.failure;
  const found = await find(c);
  if (!found.ok) return found.failure;
  const body = await readJson(c, LetterBody);
  if (!body.ok) return body.failure;
  const { item } = body.value;
  if (!isObject(item))
    return fail("bad_request", "item is the JSON text of an object: what it was, with your changes.");
  const { id, name } = found.stored;
  const { letter } = params.value;
  const changed = await ask(c, id, (courier) => courier.editDeadLetter(letter, item));
  if (!changed.ok) return changed.failure;
  const now = await ask(c, id, (courier) => courier.deadLetter(letter));
  if (!now.ok) return now.failure;
  if (now.value === null) return noSuchLetter(letter);
  if (!changed.value.ok) {
    const { problem } = changed.value;
    const message = `That is not an item that can be sent: ${problem}`;
    return fail("bad_fields", message, { details: { problems: { item: problem } } });
  }
  await note(c, "deadletter.edit", id, { name, letter });
  return c.json({ deadLetter: now.value } satisfies DeadLetterAnswer);
};

const selected =
  (
    action: AuditAction,
    call: (courier: CourierRpc, selection: DeadLetterSelection) => Promise<DeadLettersChanged>,
    timeoutMs?: number,
  ): Handler =>
  async (c) => {
    const found = await find(c);
    if (!found.ok) return found.failure;
    const body = await readJson(c, SelectionBody);
    if (!body.ok) return body.failure;
    const { id, name } = found.stored;
    const selection: DeadLetterSelection = body.value;
    const asked = await ask(c, id, (courier) => call(courier, selection), timeoutMs);
    if (!asked.ok) return asked.failure;
    const of = selection.ids === "all" ? "all" : selection.ids.length;
    await note(c, action, id, { name, of, ...asked.value });
    return c.json(asked.value satisfies DeadLettersChanged);
  };

export const replayDeadLetters = selected(
  "deadletter.replay",
  (courier, selection) => courier.replay(selection),
  REPLAY_TIMEOUT_MS,
);
export const discardDeadLetters = selected("deadletter.discard", (courier, selection) => courier.discard(selection));

const noSuchLetter = (letter: number): Failure =>
  fail("not_found", `There is no dead letter ${letter}: it was sent again or thrown away.`);

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
