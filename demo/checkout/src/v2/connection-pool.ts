/** A pool of connections to the payment provider. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

/** The provider closes idle connections; the pool finds out by using one. */
const STALE_SHARE = 0.15;

class Connection {
  constructor(readonly id: number) {}

  open(method: string): void {
    if (Math.random() < STALE_SHARE) {
      const cause = new Error(`read ECONNRESET on socket ${this.id}`);
      throw new ConnectionError(`connection ${this.id} to payments was closed while sending ${method}`, { cause });
    }
  }
}

let borrowed = 0;

export const borrowConnection = () => new Connection(++borrowed);
