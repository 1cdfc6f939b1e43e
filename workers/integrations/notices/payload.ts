/**
 * What the signed webhook sends: the payloads that docs/webhooks.md describes, with
 * their JSON schema. Receivers rely on it: add, never change or take away. Pure.
 */
import type { Io, NoticeItem } from "../contract.ts";
import { linkOf } from "./notice.ts";

export interface WebhookPayload {
  /** Kind of the notice, or `tailrace.test`. */
  type: string;
  /** When it happened, ISO 8601: not when it was sent. */
  timestamp: string;
  data: Record<string, unknown>;
}

export function payloadOf({ notice, tags }: NoticeItem, io: Pick<Io, "baseUrl">): WebhookPayload {
  const { kind, at, id, script, issueId, detail } = notice;
  const { title, version, type, culprit, count, firstSeen, rolloutId } = detail;
  const url = linkOf(notice, io.baseUrl);
  const common = { notification: id, worker: script, version, ...(url === "" ? {} : { url }), tags };
  const about =
    rolloutId === undefined
      ? {
          issue: {
            ...{ id: issueId, type, title, culprit },
            ...(count === undefined ? {} : { count }),
            ...(firstSeen === undefined ? {} : { firstSeen: new Date(firstSeen).toISOString() }),
          },
        }
      : { rollout: { id: rolloutId, reason: title } };
  return { type: kind, timestamp: new Date(at).toISOString(), data: { ...common, ...about } };
}
