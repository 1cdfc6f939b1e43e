/** Ends of a WebSocket, where a socket that is closed already is nobody's failure. */
import { rootMessage } from "../util/error-message.ts";

/** Close codes of RFC 6455, section 7.4.1, and of its registry. */
export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  policyViolation: 1008,
  internalError: 1011,
  restart: 1012,
} as const;

/** Said with LIVE_CLOSE.credentialEnded. */
export const ENDED = "Log in again, or use another token.";

/** False: it is dead. */
export function sendTo(socket: WebSocket, text: string): boolean {
  try {
    socket.send(text);
    return true;
  } catch {
    return false;
  }
}

export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It is closed already.
  }
}

/** A socket that is closed needs none. One that is too large is a bug: what it held is lost when the hub sleeps. */
export function attach(socket: WebSocket, attachment: unknown): void {
  try {
    socket.serializeAttachment(attachment);
  } catch (error) {
    if (socket.readyState === WebSocket.OPEN) console.error(`BUG: an attachment is not kept: ${rootMessage(error)}`);
  }
}
