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

export type Paint = (style: Style | `version ${string}`, text: string) => string;

export type Style = "error" | "warn" | "good" | "info" | "dim" | "strong";

const CODES: Record<Style, string> = { error: "31", warn: "33", good: "32", info: "36", dim: "2", strong: "1" };

/** Of the 256 colours; legible on dark and on light, none of them the red, yellow or green of state. */
const VERSION_COLOURS = [33, 133, 37, 99, 172, 69, 170, 73, 105, 138];

/** FNV-1a, folded: the same slot as in dashboard/src/lib/versions.ts. */
function slotOf(id: string): number {
  let h = 2166136261;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 16777619);
  h ^= h >>> 15;
  return (h >>> 0) % VERSION_COLOURS.length;
}

export const plain: Paint = (_style, text) => text;

const VERSION = "version ";

export const coloured: Paint = (style, text) => {
  if (text === "") return text;
  const code = style.startsWith(VERSION)
    ? `38;5;${VERSION_COLOURS[slotOf(style.slice(VERSION.length))]}`
    : CODES[style as Style];
  return `\u001b[${code}m${text}\u001b[0m`;
};
