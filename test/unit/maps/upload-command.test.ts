/** What people paste into a shell. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { uploadCommand } from "../../../workers/errors/maps/upload-command.ts";

test("plain names stand as they are", () => {
  expect(uploadCommand("shop-web", "5f0a1b6e-0000", "dist")).toBe(
    "npx tailrace sourcemaps upload dist --worker shop-web --version 5f0a1b6e-0000",
  );
});

test.each(["a b", "$(touch x)", "`id`", "it's", "a;b", "a\nb", "", '"', "a|b", "~"])(
  "the shell hands %j to the command, and does nothing else with it",
  (name) => {
    const command = uploadCommand(name, name, "dist").replace("npx tailrace", "printf '%s\\0'");
    const given = execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" }).split("\0");
    expect(given).toEqual(["sourcemaps", "upload", "dist", "--worker", name, "--version", name, ""]);
  },
);
