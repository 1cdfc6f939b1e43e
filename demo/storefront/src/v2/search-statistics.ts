/** Reports searches to the merchandising team's collector. */
import { callUpstream } from "../../../shared/upstream.ts";
import type { Session } from "../env.ts";

const COLLECTOR_MEDIAN_MS = 20;
/** The collector takes ISO 8859-1 only, which nobody had told the authors. */
const LATIN1 = /^[\x20-\xff]*$/;

export async function reportSearch(query: string, hits: number, session: Session): Promise<void> {
  await callUpstream("search-statistics", COLLECTOR_MEDIAN_MS);
  const receipt = await submit({ query, hits, user: session.userId });
  if (receipt.status !== 202) throw new Error(`search statistics were refused: ${receipt.status} ${receipt.reason}`);
}

async function submit(entry: { query: string; hits: number; user: string }) {
  return LATIN1.test(entry.query)
    ? { status: 202, reason: "Accepted" }
    : { status: 415, reason: "unsupported characters in query" };
}
