/** In place of `cloudflare:workers` where pure code that imports a stage is tested in Node (vitest.config.ts). */
export class DurableObject {}
/** Nothing ends here before it is done. */
export function waitUntil(work: Promise<unknown>): void {
  work.catch(() => undefined);
}
