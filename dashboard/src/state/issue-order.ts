/** The order in which the list showed its issues: an issue's page steps through it, and the list finds its place again. */

let order: number[] = [];
let opened: number | undefined;

export function rememberOrder(ids: number[], open: number): void {
  order = ids;
  opened = open;
}

/** The issue that was opened, and where it stood. */
export const lastOpened = (): { id: number; index: number } | undefined =>
  opened === undefined ? undefined : { id: opened, index: order.indexOf(opened) };

/** The issue `step` places further on in the list; undefined past its ends, or when the list was never seen. */
export function neighbour(id: number, step: number): number | undefined {
  const at = order.indexOf(id);
  const next = at < 0 ? undefined : order[at + step];
  if (next !== undefined) opened = next;
  return next;
}
