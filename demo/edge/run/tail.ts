/**
 * The tail of uploaded versions. Local trace items say neither who ran nor for
 * how long, and cannot be passed on as they are: they go to the platform as
 * JSON, with what Cloudflare would have filled in. (Versions that the launcher
 * runs are bound to the platform's `tail()` directly.)
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { EdgeEnv } from "../env.ts";

export interface TailProps {
  script: string;
  version: { id: string; tag: string; message: string };
}

/** The host does not matter: it is a service binding. */
const INGEST = "http://platform/api/v1/ingest/tail";

export class Tail extends WorkerEntrypoint<EdgeEnv, TailProps> {
  override async tail(items: TraceItem[]): Promise<void> {
    const now = Date.now();
    const { PLATFORM, PLATFORM_TOKEN } = this.env;
    const answer = await PLATFORM?.fetch(INGEST, {
      method: "POST",
      headers: { authorization: `Bearer ${PLATFORM_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(items.map((item) => this.#complete(item, now))),
    });
    if (answer?.ok === false) console.error(`tails of ${this.ctx.props.script} were refused: ${answer.status}`);
    await answer?.body?.cancel();
  }

  #complete(item: TraceItem, now: number): object {
    const { script, version } = this.ctx.props;
    const written = JSON.parse(JSON.stringify(item)) as Record<string, unknown>;
    const wallTime = item.eventTimestamp === null ? undefined : Math.max(0, now - item.eventTimestamp);
    return { ...written, scriptName: script, scriptVersion: version, wallTime, cpuTime: undefined };
  }
}
