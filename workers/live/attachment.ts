/**
 * What a socket carries through hibernation: who listens, to what, and what it
 * has not been told yet. 16 KB at most (the runtime's limit), so no history.
 * Tags are for what is looked up without waking all sockets.
 */
import type { Listener, TailRequest } from "./contract.ts";
import { MAX_TAG_CHARS } from "./limits.ts";
import type { Tally } from "./tally.ts";

export interface TopicAttachment {
  kind: "topic";
  topic: string;
  who: Listener;
}

export interface ViewerAttachment {
  kind: "viewer";
  /** Null: it has not said one that is understood yet. */
  q: string | null;
  rate: number;
  who: Listener;
  /** Events that it has not got are kept in memory only: when that is lost, it has to come again. */
  held: boolean;
  /** It reads too slowly: characters sent and read, and what it has not been sent since. */
  slow?: { sent: number; read: number; tally: Tally };
}

export interface TraceAttachment {
  kind: "trace";
  id: string;
  request: TailRequest;
  who: Listener;
  isDebug?: boolean;
  /** It does not see everything. */
  isOverloaded?: boolean;
  /** Not shown since it was told last. */
  notShown?: Tally;
}

export type Attachment = TopicAttachment | ViewerAttachment | TraceAttachment;

const tag = (kind: string, text: string) => `${kind} ${text}`.slice(0, MAX_TAG_CHARS);
export const topicTag = (topic: string) => tag("topic", topic);
export const credentialTag = (credential: string) => tag("credential", credential);
export const sessionTag = (session: string) => tag("session", session);
export const tailTag = (id: string) => tag("tail", id);

export function tagsOf(attachment: Attachment): string[] {
  const { who } = attachment;
  const own =
    attachment.kind === "topic"
      ? [topicTag(attachment.topic)]
      : attachment.kind === "trace"
        ? [tailTag(attachment.id)]
        : [];
  return [...own, credentialTag(who.credential), ...(who.session === undefined ? [] : [sessionTag(who.session)])];
}
