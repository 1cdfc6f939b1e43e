/** When `npm start` installs: whenever node_modules is not what the lock file says. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { missingPackages } from "../../../scripts/lib/toolchain.mjs";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tailrace-toolchain-"));
  writeLock("package-lock.json", {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0" },
  });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeLock(name: string, packages: object): void {
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(join(root, name), JSON.stringify({ packages }));
}

function install(name: string): void {
  mkdirSync(join(root, "node_modules", name), { recursive: true });
  writeFileSync(join(root, "node_modules", name, "package.json"), "{}");
}

test("nothing is installed", () => {
  expect(missingPackages(root)).toEqual(["node_modules/a", "node_modules/b"]);
});

test("all is there", () => {
  writeLock("node_modules/.package-lock.json", {
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "2.0.0" },
  });
  for (const name of ["a", "b"]) install(name);
  expect(missingPackages(root)).toEqual([]);
});

test("one is outdated, one was deleted by hand", () => {
  writeLock("node_modules/.package-lock.json", {
    "node_modules/a": { version: "0.9.0" },
    "node_modules/b": { version: "2.0.0" },
  });
  install("a");
  expect(missingPackages(root)).toEqual(["node_modules/a", "node_modules/b"]);
});

test("an optional package of another platform is not missed", () => {
  writeLock("package-lock.json", { "node_modules/elsewhere": { version: "1.0.0", optional: true } });
  expect(missingPackages(root)).toEqual([]);
});
