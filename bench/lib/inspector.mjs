/** workerd's inspector, as far as its memory is concerned: the platform's isolate, over the DevTools protocol. */
import { WebSocket } from "ws";

const ANSWER_MS = 60_000;
const POKE_MS = 500;
const PLATFORM = "tailrace";

export class Inspector {
  #socket;
  #waiting = new Map();
  #asked = 0;

  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const { id, result, error } = JSON.parse(String(data));
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(`inspector: ${error.message}`));
    });
  }

  /** @param {number} port as given to Miniflare */
  static async open(port) {
    const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const target = targets.find(({ id }) => id.includes(PLATFORM));
    if (target === undefined) throw new Error(`no inspector of ${PLATFORM} in ${JSON.stringify(targets)}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl.replace("localhost", "127.0.0.1"));
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return new Inspector(socket);
  }

  /**
   * What is reachable: the JavaScript heap in use after a garbage collection.
   * workerd collects when the isolate has work next: `poke` gives it some.
   */
  async heapBytes(poke) {
    const poking = setInterval(() => poke().catch(() => {}), POKE_MS);
    try {
      const collected = this.#ask("HeapProfiler.collectGarbage");
      await poke();
      await collected;
    } finally {
      clearInterval(poking);
    }
    const { usedSize } = await this.#ask("Runtime.getHeapUsage");
    return usedSize;
  }

  close() {
    this.#socket.terminate();
  }

  #ask(method) {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`inspector: no answer to ${method}`)), ANSWER_MS);
      const settle = (how) => (value) => {
        clearTimeout(late);
        how(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}
