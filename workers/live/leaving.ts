/**
 * Sockets that the hub has sent away and whose other side has not answered: what
 * they were sent may still lie in the runtime's memory, for as long as their
 * connection stands. So they take a place and a share like those that are open, or
 * who is sent away on purpose, again and again, would pile it up. `hub.ts` keeps it.
 */
interface Gone {
  credential: string;
  /** Of a `wrangler tail`: what it may not have read. It does not fade: who has not answered has not read. */
  unproven: number;
}

export class Leaving {
  private readonly bySocket = new Map<WebSocket, Gone>();

  get size(): number {
    return this.bySocket.size;
  }

  has(socket: WebSocket): boolean {
    return this.bySocket.has(socket);
  }

  add(socket: WebSocket, credential: string, unproven = 0): void {
    this.bySocket.set(socket, { credential, unproven });
  }

  /** Its connection has ended, or its other side has answered: it has read all. */
  remove(socket: WebSocket): void {
    this.bySocket.delete(socket);
  }

  /** Whatever became of the others: these are all that there are. */
  keep(sockets: readonly WebSocket[]): void {
    if (this.bySocket.size === 0) return;
    const there = new Set(sockets);
    for (const socket of this.bySocket.keys()) if (!there.has(socket)) this.bySocket.delete(socket);
  }

  /** What tails may not have read; of a credential, or of all. */
  unproven(credential?: string): number {
    let sum = 0;
    for (const gone of this.bySocket.values())
      if (credential === undefined || gone.credential === credential) sum += gone.unproven;
    return sum;
  }
}
