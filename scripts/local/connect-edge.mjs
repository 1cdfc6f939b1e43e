/**
 * Connects the local edge as the Cloudflare account that rollouts act on, as an
 * admin would in the dashboard. Asked at every start: the answer is the same.
 */

/** Both ends are on this machine. */
const TIMEOUT_MS = 10_000;

/**
 * @param {{ url: string, token: string, edge: { accountId: string, token: string } }} given
 * @returns {Promise<string | undefined>} what went wrong
 */
export async function connectEdge({ url, token, edge }) {
  const body = JSON.stringify({ accountId: edge.accountId, token: edge.token });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(`${url}/api/v1/cloudflare`, { method: "PUT", headers, body, signal });
    const said = await answer.text();
    return answer.ok ? undefined : `${answer.status} ${said.slice(0, 500)}`;
  } catch (error) {
    return String(error);
  }
}
