/**
 * Texts and outcomes of the platform's own: what ended an isolate, and what is
 * noise. `classify.ts` asks. Whole sentences only, as workerd and the platform
 * write them: a team's own message that merely holds such words is the team's.
 *
 * Noise is what no change of the team's code would have prevented: a connection
 * that broke, a client that left, an object that was moved or updated. Not noise:
 * overloaded objects, code that hangs, limits of the team's own making.
 */
import { clientLeft } from "../../event/failure.ts";

/** `exceededMemory` …, or null. */
export function deathOf(message: string): string | null {
  if (!message.startsWith("Worker ") && !message.startsWith("Durable Object") && !message.startsWith("Isolate ")) {
    return null;
  }
  if (message.length > MAX_SENTENCE_CHARS || !message.includes("exceeded ")) return null;
  if (message.includes(" memory limit") || message.includes(" memory allocation")) return "exceededMemory";
  if (message.includes(" CPU time limit") || message.includes(" CPU limit")) return "exceededCpu";
  return message.includes(" wall time limit") || message.includes(" wall-clock") ? "exceededWallTime" : null;
}

const DEATHS = new Set(["exceededMemory", "exceededCpu", "exceededWallTime"]);
export const isDeath = (outcome: string | undefined): boolean => outcome !== undefined && DEATHS.has(outcome);

/** Outcomes of the platform's making. */
const PLATFORM_OUTCOMES = new Set([
  "loadShed",
  "daemonDown",
  "internalError",
  "killSwitch",
  "aborted",
  "scriptNotFound",
]);

/** What outcomes that come without a message are called, in words. */
const OUTCOMES: ReadonlyMap<string, string> = new Map([
  ["exceededMemory", "Worker exceeded its memory limit"],
  ["exceededCpu", "Worker exceeded its CPU time limit"],
  ["exceededWallTime", "Worker exceeded its wall time limit"],
  ["canceled", "The client left before it had its answer"],
  ["responseStreamDisconnected", "The client left while it was given its answer"],
  ["loadShed", "The platform was overloaded and turned the request away"],
  ["exception", "It failed of an exception that was not passed on"],
]);
export const outcomeInWords = (outcome: string): string | undefined => OUTCOMES.get(outcome);

/** The platform's sentences are shorter. */
const MAX_SENTENCE_CHARS = 256;

/** First words → class. Checked where a message begins, behind `D1_ERROR: ` and the like. */
const SENTENCES: readonly (readonly [string, string])[] = [
  ["Network connection lost", "network"],
  ["WebSocket disconnected between frames", "network"],
  ["WebSocket peer disconnected", "client_left"],
  ["The client disconnected", "client_left"],
  ["Client disconnected", "client_left"],
  ["ReadableStream client disconnected", "client_left"],
  ["The request was canceled", "client_left"],
  ["Durable Object reset because its code was updated", "reset"],
  ["The Durable Object's code has been updated", "reset"],
  ["This script has been upgraded", "reset"],
  ["Cannot resolve Durable Object due to transient issue", "platform"],
  ["Durable Object storage operation exceeded timeout which caused object to be reset", "platform"],
  ["Internal error while starting up Durable Object storage caused object to be reset", "platform"],
  ["Internal error in Durable Object storage", "platform"],
  ["Internal error in D1 DB storage caused object to be reset", "platform"],
  ["D1 DB storage operation exceeded timeout which caused object to be reset", "platform"],
  ["internal error", "platform"],
];

/** `internal error` alone, or with a reference: `internal error; reference = 0a1b`. */
const EXACT = "internal error";

export function noiseOf(event: {
  message?: string | undefined;
  type?: string | undefined;
  outcome?: string | undefined;
}): string {
  const { message = "", type, outcome } = event;
  if (message.length <= MAX_SENTENCE_CHARS) {
    const sentence = withoutPrefix(message);
    for (const [words, noise] of SENTENCES) {
      if (!sentence.startsWith(words)) continue;
      if (words !== EXACT || sentence.length === words.length || sentence[words.length] === ";") return noise;
    }
  }
  // What is cut off when the client leaves says so in the team's own code too.
  return type === "AbortError" && clientLeft(outcome) ? "client_left" : "";
}

export function noiseOfOutcome(outcome: string | undefined): string {
  if (clientLeft(outcome)) return "client_left";
  return outcome !== undefined && PLATFORM_OUTCOMES.has(outcome) ? "platform" : "";
}

/** `D1_ERROR: Network connection lost.`, `Error: …` as RPC and bindings write it. */
function withoutPrefix(message: string): string {
  let sentence = message;
  for (let i = 0; i < 2; i++) {
    const colon = sentence.indexOf(": ");
    if (colon <= 0 || colon > 24 || !/^[A-Za-z0-9_]*(?:Error|_ERROR)$/.test(sentence.slice(0, colon))) break;
    sentence = sentence.slice(colon + 2);
  }
  return sentence;
}
