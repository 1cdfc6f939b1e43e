/**
 * Colours, for meaning only, and never alone: every coloured word says the same
 * in black and white. A version's colour comes of its id, as on the dashboard:
 * the same in every terminal.
 */
import type { Environment } from "../../options.ts";

/** Undefined: it depends on the terminal. Flags before FORCE_COLOR before NO_COLOR (no-color.org, force-color.org). */
export function wantsColour(
  flags: { on: boolean | undefined; off: boolean | undefined },
  env: Environment,
): boolean | undefined {
  if (flags.on || flags.off) return flags.on === true;
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env;
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false";
  if ((refused !== undefined && refused !== "") || terminal === "dumb") return false;
  return undefined;
}

export type Style = "error" | "warn" | "good" | "info" | "dim" | "strong";

export const CODES: Record<Style, string> = { error: "31", warn: "33", good: "32", info: "36", dim: "2", strong: "1" };

/** Of the 256 colours; legible on dark and on light, none of them the red, yellow or green of state. */
const VERSION_COLOURS = [33, 133, 37, 99, 172, 69, 170, 73, 105, 138];
/** Versions whose colours are remembered. */
const MAX_VERSIONS = 500;

/** FNV-1a, folded: the same slot as in dashboard/src/lib/versions.ts. */
function slotOf(id: string): number {
  let h = 2166136261;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  h ^= h >>> 15;
  return (h >>> 0) % VERSION_COLOURS.length;
}

/** The colour of a version's id; where two of one Worker would share it, the one seen later takes another, while there are others. */
export class VersionColours {
  #slots: Map<string, number> = new Map();
  #taken: Map<string, Set<number>> = new Map();

  /** A code for `ESC[…m`. */
  of(script: string, id: string): string {
    const key = `${script} ${id}`;
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      if (this.#slots.size >= MAX_VERSIONS) this.#forget();
      slot = this.#free(script, slotOf(id));
      this.#slots.set(key, slot);
    }
    return `38;5;${VERSION_COLOURS[slot]}`;
  }

  #free(script: string, first: number): number {
    const taken = this.#taken.get(script) ?? new Set();
    let slot = first;
    for (let i = 0; i < VERSION_COLOURS.length && taken.has(slot); i++) slot = (slot + 3) % VERSION_COLOURS.length;
    this.#taken.set(script, taken.add(slot));
    return slot;
  }

  #forget(): void {
    this.#slots = new Map();
    this.#taken = new Map();
  }
}

/** @param code for `ESC[…m` */
export type Paint = (code: string, text: string) => string;
export const plain: Paint = (_code, text) => text;
export const coloured: Paint = (code, text) => (text === "" ? text : `\u001b[${code}m${text}\u001b[0m`);
