/** Counts what is known to have moved a rollout: pages and the line that names what runs read again. */
import { signal } from "@preact/signals";

export const rolloutChanges = signal(0);

export function rolloutMoved(): void {
  rolloutChanges.value = rolloutChanges.peek() + 1;
}
