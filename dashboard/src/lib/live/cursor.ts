/**
 * Where this viewer is in the stream: per Ingester the position that it heard
 * last. A position begins with a whole number that only grows; what follows is
 * the server's. Pure.
 */
import type { LiveCursor } from "../../../../workers/api/contract.ts";

const numberOf = (position: string): number => Number.parseInt(position, 10);

/** Whether all that a message brings was heard before: a resume and the stream may overlap. */
export function isHeard(heard: LiveCursor, at: LiveCursor): boolean {
  const names = Object.keys(at);
  return (
    names.length > 0 &&
    names.every((name) => {
      const known = heard[name];
      return known !== undefined && numberOf(at[name] as string) <= numberOf(known);
    })
  );
}

/** Takes a message's positions in; an older one does not take a newer one's place. */
export function advance(heard: LiveCursor, at: LiveCursor): void {
  for (const name in at) {
    const position = at[name] as string;
    const known = heard[name];
    if (known === undefined || numberOf(position) >= numberOf(known)) heard[name] = position;
  }
}
