/** How a destination is, in one word and one sentence for people. Pure. */
import type { DestinationHealth, Feed } from "../../api/contract/integrations.ts";
import { withAdvice } from "../../integrations/sending/advice.ts";
import type { Waits } from "./slot.ts";
import type { CourierState } from "./state.ts";

export interface Seen {
  now: number;
  state: Pick<
    CourierState,
    "receiver" | "lastError" | "failedOverSince" | "viaProblem" | "lastDeliveredAt" | "backfill"
  >;
  paused: boolean;
  standby: boolean;
  /** It cannot even be tried: no such integration, a secret that does not open. */
  problem: string | null;
  storeError: string | null;
  deadLetters: number;
  queued: number | null;
  oldestWaiting: number | null;
  /** ms that a batch may grow. */
  lingerMs?: number;
  failoverName: string | null;
}

/** ms: younger than this is what is on its way. */
const BEHIND_MS = 60_000;
/** Items in a row that are refused before it is said, where others were taken before. */
const REFUSED_TOLD = 3;

export function conditionOf(seen: Seen): Pick<DestinationHealth, "condition" | "sentence"> {
  const said = wordOf(seen);
  return { ...said, sentence: said.sentence + viaText(seen) };
}

function viaText({ state: { failedOverSince, viaProblem }, failoverName }: Seen): string {
  if (viaProblem !== null) return ` ${sentence(viaProblem)}`;
  return failedOverSince === null ? "" : ` ${failoverName ?? "Its failover"} carries it meanwhile.`;
}

function wordOf(seen: Seen): Pick<DestinationHealth, "condition" | "sentence"> {
  const { now, state, queued, oldestWaiting } = seen;
  const { hold, breaker } = state.receiver;
  const waiting = queued ?? 0;
  const kept =
    waiting > 0
      ? ` ${counted(waiting)} ${waiting === 1 ? "waits and is" : "wait and are"} kept.`
      : " What comes is kept.";
  if (seen.paused) return { condition: "paused", sentence: `Paused: nothing is sent.${kept}` };
  if (seen.problem !== null) return { condition: "attention", sentence: `${seen.problem}${kept}` };
  if (seen.standby) return { condition: "standby", sentence: "Stands by: it carries what others fail to deliver." };
  if (hold !== null)
    return { condition: "attention", sentence: `${sentence(withAdvice(hold.failure).message)}${kept}` };
  if (seen.storeError !== null)
    return {
      condition: "waiting",
      sentence: `Tailrace itself cannot go on, and tries again: ${sentence(seen.storeError)}${kept}`,
    };
  if (breaker.state !== "closed") {
    const since = breaker.since === null ? "" : ` for ${duration(now - breaker.since)}`;
    const why = state.lastError === null ? "" : ` ${sentence(state.lastError.message)}`;
    return { condition: "failing", sentence: `It has not taken anything${since}.${why}${kept}` };
  }
  if (breaker.until > now) {
    const why = state.lastError === null ? "" : ` ${sentence(state.lastError.message)}`;
    return { condition: "waiting", sentence: `Tried again in ${duration(breaker.until - now)}.${why}` };
  }
  if (breaker.failures > 0) {
    const times = breaker.failures === 1 ? "The last try failed" : `The last ${breaker.failures} tries failed`;
    const why = state.lastError === null ? "" : ` ${sentence(state.lastError.message)}`;
    return { condition: "waiting", sentence: `${times}; it is being tried again.${why}` };
  }
  const { refusedInRow } = state.receiver;
  if (refusedInRow >= REFUSED_TOLD || (refusedInRow > 0 && state.lastDeliveredAt === null)) {
    const why = state.lastError === null ? "" : ` It said: ${sentence(state.lastError.message)}`;
    const what = refusedInRow === 1 ? "What came last was refused" : `The last ${refusedInRow} items were refused`;
    return { condition: "attention", sentence: `${what}, and wait among the dead letters.${why}` };
  }
  const waits = waitsText(state.receiver.waits, now);
  if (waits !== "") {
    const why = state.lastError === null ? "" : `: ${state.lastError.message}`;
    return { condition: "waiting", sentence: sentence(`${waits}, the rest goes on${why}`) };
  }
  if (oldestWaiting !== null && now - oldestWaiting > BEHIND_MS + (seen.lingerMs ?? 0))
    return {
      condition: "behind",
      sentence: `Catching up: ${counted(waiting)} ${waiting === 1 ? "waits" : "wait"}, the oldest from ${duration(now - oldestWaiting)} ago.`,
    };
  if (state.lastDeliveredAt === null && waiting === 0 && seen.deadLetters === 0)
    return { condition: "idle", sentence: "Nothing has come yet that it should get." };
  if (state.lastDeliveredAt === null && seen.deadLetters > 0)
    return {
      condition: "attention",
      sentence: `All that came was refused: ${counted(seen.deadLetters)} among the dead letters.`,
    };
  return { condition: "ok", sentence: "Delivers." };
}

const KINDS: Record<Feed, string> = { errors: "errors", logs: "logs", traces: "traces", notices: "notices" };

/** "Logs and traces wait until 12:30 (UTC)"; "" when all kinds are wanted. */
function waitsText(waits: Waits, now: number): string {
  const kept = (Object.entries(waits) as [Feed, number][]).filter(([, until]) => until > now);
  if (kept.length === 0) return "";
  const kinds = kept.map(([feed]) => KINDS[feed]).join(" and ");
  const soonest = new Date(Math.min(...kept.map(([, until]) => until))).toISOString().slice(11, 16);
  return `${kinds.charAt(0).toUpperCase()}${kinds.slice(1)} wait until ${soonest} (UTC)`;
}

const counted = (n: number) => (n === 1 ? "1 event" : `${n.toLocaleString("en-US")} events`);
const sentence = (text: string) => (/[.!?…]$/.test(text) ? text : `${text}.`);

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
