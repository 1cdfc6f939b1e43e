/** The integrations. Made by scripts/catalog.mjs from the files of catalog/: change those. */
import type { Integration } from "./contract.ts";

// biome-ignore format: one line, however many there are
export const INTEGRATIONS: readonly Integration[] = [];
