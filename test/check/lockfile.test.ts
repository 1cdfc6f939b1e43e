/** `npm ci` refuses a lock file that leaves out another platform's optional packages, as npm sometimes writes it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Entry {
  version?: string;
  resolved?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Entry> };

/** As Node looks packages up: in the folder itself, then in each one above. */
function isListed(from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    if (packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === "") return false;
  }
}

test("every optional package of every platform is listed", () => {
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter((name) => !isListed(path, name)),
  );
  expect(missing).toEqual([]);
});

test("package.json pins what the lock file pins, and no registry is written down", () => {
  const wanted = JSON.parse(readFileSync("package.json", "utf8")) as Entry;
  for (const [name, version] of Object.entries({ ...wanted.dependencies, ...wanted.devDependencies })) {
    expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
  expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
});
