/**
 * What counts as a failure, in one place: rollups, charts, sampling and later
 * the rollout guard must agree. Outcome is not HTTP status: a handled 500 has
 * outcome `ok`, and a client that left is nobody's failure.
 */
const CLIENT_LEFT = new Set(["canceled", "responseStreamDisconnected"]);

export const clientLeft = (outcome: string | undefined): boolean => outcome !== undefined && CLIENT_LEFT.has(outcome);

export function isFailure(outcome: string | undefined, status: number | undefined): boolean {
  if (clientLeft(outcome)) return false;
  if (status !== undefined && status >= 500) return true;
  return outcome !== undefined && outcome !== "ok" && outcome !== "unknown";
}

/** `2xx` … `5xx`, or `none` for invocations that have no HTTP status. */
export function statusClass(status: number | undefined): string {
  if (status === undefined || !(status >= 100 && status < 600)) return "none";
  return `${Math.floor(status / 100)}xx`;
}
