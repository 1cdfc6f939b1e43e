/**
 * The list of integrations, from the files of workers/integrations/catalog/: a
 * Worker's bundle cannot read a folder, and nobody is to keep a list by hand.
 * Written by the build (and so by `wrangler deploy`), kept in git, so that types,
 * editors and tests need no build.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Complaint } from "./complaint.mjs";
import { ROOT } from "./toolchain.mjs";

const FOLDER = join(ROOT, "workers/integrations/catalog");
const LIST = join(ROOT, "workers/integrations/catalog-list.ts");
/** The file is named after the integration's id, which is in URLs. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*\.ts$/;

/** @returns {string} what the list is to be */
export function catalogText(files = catalogFiles()) {
  const imports = files.map((file) => `import ${variable(file)} from "./catalog/${file}";\n`).join("");
  const names = files.map(variable).join(", ");
  return `/** The integrations. Made by scripts/catalog.mjs from the files of catalog/: change those. */
${imports}import type { Integration } from "./contract.ts";

// biome-ignore format: one line, however many there are
export const INTEGRATIONS: readonly Integration[] = [${names}];
`;
}

/** @returns {string[]} names of files, sorted */
function catalogFiles() {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).sort() : [];
  const odd = files.find((file) => !NAME.test(file));
  if (odd !== undefined)
    throw new Complaint(
      `${relative(ROOT, join(FOLDER, odd))}: a file of the catalog is one integration, named after its id (a-z, 0-9, -)`,
    );
  return files;
}

export const isCatalogStale = () => !existsSync(LIST) || readFileSync(LIST, "utf8") !== catalogText();

/** @returns {boolean} whether it had to be written */
export function writeCatalog() {
  if (!isCatalogStale()) return false;
  writeFileSync(LIST, catalogText());
  return true;
}

/** `log-files-r2.ts` → `logFilesR2` */
const variable = (file) => file.replace(/\.ts$/, "").replace(/-(.)/g, (_, letter) => letter.toUpperCase());
