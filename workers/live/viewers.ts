/**
 * The viewers of a hub, from their first word to their last: they begin, say
 * another filter, come again, acknowledge, leave. What they ask for is done in
 * their order. `hub.ts` lets them in and hands on what they say; `stream.ts` shows
 * them what is pushed.
 */
import { LIVE_ACK_CHARS, LIVE_CLOSE, type LiveCursor, type LiveRequest } from "../api/contract/live.ts";
import { rootMessage } from "../util/error-message.ts";
import type { ViewerAttachment } from "./attachment.ts";
import { CatchUp, type CatchUpParts, type Missed } from "./catch-up.ts";
import type { Listener } from "./contract.ts";
import type { ReadFilter } from "./filter.ts";
import type { Filters } from "./filters.ts";
import { DEAR_MESSAGE, RESUME_GRACE_MS } from "./limits.ts";
import { messageText, positionsFrame, slowFrame } from "./render.ts";
import { rateOf, readRequest } from "./requests.ts";
import { CLOSE, ENDED } from "./sockets.ts";
import { emptyTally } from "./tally.ts";
import { Viewer } from "./viewer.ts";

export interface ViewersParts {
  script: string | null;
  filters: Filters;
  catchUp: CatchUpParts;
  /** The Ingesters have been told that somebody watches. */
  watched(): Promise<void>;
  /** False: what let it in has ended meanwhile. Asked when the hub is watched: who ends a credential finds it from then on. */
  mayStay(who: Listener): Promise<boolean>;
  drop(socket: WebSocket, code: number, reason: string): void;
  /** Work that goes on after the event that began it. */
  waitUntil(work: Promise<void>): void;
}

/** Where the hub was when a viewer came. */
interface Came {
  /** Of the ring. */
  from: number;
  cursor: LiveCursor;
}

export class Viewers {
  private readonly bySocket = new Map<WebSocket, Viewer>();

  constructor(private readonly parts: ViewersParts) {}

  get size(): number {
    return this.bySocket.size;
  }

  of(socket: WebSocket): Viewer | undefined {
    return this.bySocket.get(socket);
  }

  /** One that has just come. */
  arrive(socket: WebSocket, attachment: ViewerAttachment, q: string): void {
    const viewer = new Viewer(socket, attachment, true);
    this.bySocket.set(socket, viewer);
    const { ring, positions } = this.stream;
    const came = { from: ring.end, cursor: positions.since(0) };
    this.inTurn(viewer, () => this.begin(viewer, q, came));
  }

  /** One that was here before an eviction. False: it has to come again, since what it waited for was in memory. */
  wake(socket: WebSocket, attachment: ViewerAttachment): boolean {
    if (attachment.held) return false;
    const viewer = new Viewer(socket, attachment, false);
    this.bySocket.set(socket, viewer);
    this.join(viewer);
    return true;
  }

  /** It has gone, or is to go. */
  remove(socket: WebSocket): void {
    const viewer = this.bySocket.get(socket);
    if (viewer === undefined) return;
    this.bySocket.delete(socket);
    this.stream.audiences.leave(viewer);
    viewer.leave();
  }

  hear(viewer: Viewer, message: string | ArrayBuffer): void {
    const read = readRequest(message);
    const { socket } = viewer;
    if (!read.ok) this.parts.drop(socket, LIVE_CLOSE.badMessage, read.reason);
    else if (isAllowed(viewer, read.request, Date.now())) this.answer(viewer, read.request);
    else this.parts.drop(socket, LIVE_CLOSE.badMessage, "Too many messages.");
  }

  private get stream() {
    return this.parts.catchUp.stream;
  }

  /** The Ingesters are told, its filter is made ready, what came meanwhile is sent, then it is one of the others. */
  private async begin(viewer: Viewer, q: string, { from, cursor }: Came): Promise<void> {
    const { filters, watched, mayStay, drop } = this.parts;
    const [read, stays] = await Promise.all([
      filters.open(q, Date.now()),
      watched().then(() => mayStay(viewer.attachment.who)),
    ]);
    if (!stays) drop(viewer.socket, LIVE_CLOSE.credentialEnded, ENDED);
    if (viewer.isGone) return;
    this.refilter(viewer, read, viewer.attachment.rate);
    const now = Date.now();
    const at = this.stream.positions.since(0);
    if (Object.keys(at).length > 0) viewer.send(positionsFrame(now, at));
    await viewer.speaks(RESUME_GRACE_MS);
    // Else the next thing that it asked for is what it missed.
    if (viewer.hasResumed) return;
    const unchecked = await new CatchUp(this.parts.catchUp, viewer, { cursor, since: 0 }, now).fromRing(from);
    // More came meanwhile than the ring holds.
    if (unchecked > 0) viewer.send(slowFrame(Date.now(), {}, { ...emptyTally(), unchecked }));
    this.join(viewer);
  }

  private answer(viewer: Viewer, request: LiveRequest): void {
    if (request.type === "ack") this.acknowledge(viewer, request.chars);
    else if (request.type === "filter") {
      const { q, rate } = request;
      this.inTurn(viewer, async () => {
        const read = await this.parts.filters.open(q, Date.now());
        this.refilter(viewer, read, rate === undefined ? viewer.attachment.rate : rateOf(rate));
      });
    } else {
      viewer.resumes();
      this.inTurn(viewer, () => this.resume(viewer, request));
    }
  }

  private acknowledge(viewer: Viewer, chars: number): void {
    if (!viewer.acknowledge(chars, LIVE_ACK_CHARS)) {
      this.parts.drop(viewer.socket, LIVE_CLOSE.badMessage, "It says to have read more than was sent.");
      return;
    }
    const { window, positions } = this.stream;
    const isAlive = viewer.tell(window, Date.now(), (change, most) => positions.since(change, most));
    if (!isAlive) this.parts.drop(viewer.socket, CLOSE.goingAway, "The connection failed.");
  }

  /** The new filter holds from the next push on; with a mistake in it, the old one. */
  private refilter(viewer: Viewer, read: ReadFilter, rate: number): void {
    if (viewer.isGone) return;
    const { attachment } = viewer;
    const now = Date.now();
    if (!read.ok) {
      const { code, message } = read.error;
      const details = "details" in read.error ? { details: read.error.details } : {};
      viewer.send(messageText({ type: "problem", now, code, message, ...details }));
      return;
    }
    const { q } = read.filter;
    attachment.q = q;
    attachment.rate = rate;
    viewer.save();
    if (!attachment.held) this.stream.audiences.join(viewer, read.filter, now);
    viewer.send(messageText({ type: "ready", now, script: this.parts.script, q, rate }));
  }

  private async resume(viewer: Viewer, missed: Missed): Promise<void> {
    this.stream.audiences.leave(viewer);
    viewer.attachment.held = true;
    viewer.save();
    await this.parts.watched();
    const gone = await new CatchUp(this.parts.catchUp, viewer, missed, Date.now()).run();
    if (viewer.isGone) return;
    viewer.send(messageText({ type: "resumed", now: Date.now(), gone }));
    this.join(viewer);
  }

  /** From now on it gets what is pushed. */
  private join(viewer: Viewer): void {
    if (viewer.isGone) return;
    const { attachment } = viewer;
    if (attachment.held) {
      attachment.held = false;
      viewer.save();
    }
    const now = Date.now();
    const read = attachment.q === null ? undefined : this.parts.filters.peek(attachment.q, now);
    if (read?.ok === true) this.stream.audiences.join(viewer, read.filter, now);
  }

  /** One after the other. */
  private inTurn(viewer: Viewer, work: () => Promise<void>): void {
    viewer.work = viewer.work.then(async () => {
      if (viewer.isGone) return;
      try {
        await work();
      } catch (error) {
        console.error(`live: what a viewer asked for failed: ${rootMessage(error)}`);
        this.parts.drop(viewer.socket, CLOSE.internalError, "This went wrong here. Come again.");
      }
    });
    this.parts.waitUntil(viewer.work);
  }
}

function isAllowed({ talk, returns }: Viewer, { type }: LiveRequest, now: number): boolean {
  if (!talk.allows(type === "ack" ? 1 : DEAR_MESSAGE, now)) return false;
  return type !== "resume" || returns.allows(1, now);
}
