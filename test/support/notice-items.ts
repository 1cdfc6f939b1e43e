/** Notices for tests of integrations. */
import type { Notification } from "../../workers/api/contract.ts";
import type { NoticeItem } from "../../workers/integrations/contract.ts";

export const AT = Date.UTC(2026, 10, 21, 3, 12);
/** What somebody might throw at who is on call. */
export const HOSTILE =
  'TypeError: <!channel> <@U1> @everyone *bold* _it_ [x](https://evil.example) <https://evil.example|ok> & `code` ‮gnihton \\ https://evil.example/a_b "q" \n\u0000\ud800 ||spoiler|| # head';

let made = 0;

export function noticeItem(
  fields: Partial<Omit<Notification, "detail">> & { detail?: Partial<Notification["detail"]> } = {},
): NoticeItem {
  const { detail, ...rest } = fields;
  const kind = rest.kind ?? "issue.new";
  made += 1;
  return {
    id: made.toString(16).padStart(32, "b"),
    feed: "notices",
    tags: {},
    notice: {
      id: made,
      at: AT,
      kind,
      issueId: kind.startsWith("issue.") ? 12 : 0,
      script: "shop-storefront",
      ...rest,
      detail: {
        type: "TypeError",
        title: "Cannot read properties of undefined (reading 'price')",
        culprit: "cartTotal (src/cart.ts:42)",
        version: { id: "1a2b3c4d-1111-4222-8333-444455556666", tag: "v1.6.0", message: "new checkout" },
        ...(kind.startsWith("issue.") ? { count: 1_204, firstSeen: AT - 60_000 } : { rolloutId: "ro_1" }),
        ...detail,
      },
    },
  };
}

export const KINDS: Notification["kind"][] = [
  ...(["issue.new", "issue.regressed", "issue.escalated", "issue.resolved"] as const),
  ...(["rollout.started", "rollout.held", "rollout.promoted", "rollout.rolled_back", "rollout.stopped"] as const),
];
