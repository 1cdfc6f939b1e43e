/** Dead letters of a destination, newest first: the first page again every few seconds, older ones as one asks for them. */
import { useEffect, useState } from "preact/hooks";
import type { DeadLetter, DeadLetterSelection } from "../../../workers/api/contract.ts";
import { integrationsApi } from "../api/integrations.ts";
import { count } from "../lib/format.ts";
import { useEvery } from "./every.ts";
import { integrationsChanged } from "./integrations.ts";
import { asFailure, useResource } from "./resource.ts";
import { toast } from "./toasts.ts";

const PAGE = 50;
const EVERY_MS = 5000;

/** @param known how many its health says: a change is read at once */
export function useDeadLetters(id: string, known: number) {
  const [changes, setChanges] = useState(0);
  const first = useResource(
    id,
    (s) => integrationsApi.deadLetters(id, undefined, PAGE, s),
    useEvery(EVERY_MS),
    changes + known,
  );
  const [older, setOlder] = useState<DeadLetter[]>([]);
  const [busy, setBusy] = useState(false);
  const changed = () => {
    setOlder([]);
    setChanges((n) => n + 1);
  };
  useEffect(() => setOlder([]), [id]);
  const seen = new Set<number>();
  const letters = [...(first.data?.deadLetters ?? []), ...older].filter((l) => !seen.has(l.id) && seen.add(l.id));
  const total = first.data?.total ?? 0;
  const more = async () => {
    const before = letters.at(-1)?.id;
    if (before === undefined || busy) return;
    setBusy(true);
    try {
      const page = await integrationsApi.deadLetters(id, before, PAGE);
      setOlder((o) => [...o, ...page.deadLetters]);
    } catch (error) {
      toast({ text: asFailure(error).message, tone: "bad" });
    }
    setBusy(false);
  };
  return { ...first, letters, total, more, busy, changed };
}

export type LetterVerb = "replay" | "discard";

export const letters = (n: number): string => `${count(n)} ${n === 1 ? "dead letter" : "dead letters"}`;

/** Sends or throws away, and says how it went. */
export async function actOnLetters(id: string, verb: LetterVerb, selection: DeadLetterSelection): Promise<boolean> {
  try {
    const { changed, refused } = await integrationsApi.deadLettersDo(id, verb, selection);
    const text =
      verb === "discard"
        ? `Thrown away: ${letters(changed)}`
        : refused === 0
          ? `Sent: ${letters(changed)}`
          : `Sent: ${count(changed)}. Refused again: ${count(refused)}`;
    toast({ text, tone: refused > 0 ? "bad" : "" });
    return refused === 0;
  } catch (error) {
    toast({ text: asFailure(error).message, tone: "bad" });
    return false;
  } finally {
    integrationsChanged();
  }
}
