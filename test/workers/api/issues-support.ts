/** Issues put into D1 by hand, for tests of what reads them. How they come about is tested in test/workers/issues. */
import { env } from "cloudflare:workers";
import { database, schema } from "../../../workers/db/client.ts";
import type { Exemplar } from "../../../workers/errors/delta.ts";

type IssueRow = typeof schema.issues.$inferInsert;

let births = 0;

export interface MadeIssue extends Partial<IssueRow> {
  /** Each with the counts of the issue; one of its own when left out. */
  fingerprints?: readonly string[];
}

/** Returns its number. */
export async function addIssue({ fingerprints, ...row }: MadeIssue = {}): Promise<number> {
  const birth = row.birth ?? `birth-${++births}`;
  const firstSeen = row.firstSeen ?? Date.now() - 60_000;
  const full: IssueRow = {
    script: "shop",
    kind: "exception",
    type: "TypeError",
    title: "x is undefined",
    culprit: "add (src/cart.ts)",
    stateAt: firstSeen,
    firstSeen,
    lastSeen: firstSeen,
    firstVersion: "v1",
    lastVersion: "v1",
    count: 1,
    ...row,
    birth,
  };
  const [made] = await database(env.DB).insert(schema.issues).values(full).returning({ id: schema.issues.id });
  const id = made?.id ?? 0;
  for (const fingerprint of fingerprints ?? [birth]) await addFingerprint(id, fingerprint, full);
  return id;
}

export async function addFingerprint(
  issueId: number,
  fingerprint: string,
  more: Partial<typeof schema.fingerprints.$inferInsert> = {},
): Promise<void> {
  const { script = "shop", firstSeen = 0, lastSeen = 0, firstVersion = "v1", lastVersion = "v1", count = 1 } = more;
  await database(env.DB)
    .insert(schema.fingerprints)
    .values({
      fingerprint,
      script,
      issueId,
      homeIssueId: more.homeIssueId ?? issueId,
      algorithm: 1,
      awaitsMap: more.awaitsMap ?? "",
      ...{ firstSeen, lastSeen, firstVersion, lastVersion, count },
    });
}

export async function addVersion(
  fingerprint: string,
  versionId: string,
  more: { exemplar?: Partial<Exemplar>; lastSeen?: number; count?: number; tag?: string } = {},
): Promise<void> {
  const time = more.lastSeen ?? Date.now();
  const exemplar: Exemplar = {
    invocationId: "0".repeat(32),
    seq: 1,
    time,
    type: "TypeError",
    message: "x is undefined",
    ...more.exemplar,
  };
  await database(env.DB)
    .insert(schema.fingerprintVersions)
    .values({
      fingerprint,
      versionId,
      versionTag: more.tag ?? "",
      versionMessage: "",
      firstSeen: time,
      lastSeen: time,
      count: more.count ?? 1,
      exemplar: JSON.stringify(exemplar),
    });
}

export async function addMinute(fingerprint: string, ms: number, count: number, versionId = "v1"): Promise<void> {
  const minute = Math.floor(ms / 60_000) * 60;
  await database(env.DB).insert(schema.fingerprintMinutes).values({ fingerprint, minute, versionId, count });
}
