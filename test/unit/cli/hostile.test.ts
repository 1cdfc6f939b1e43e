/** Text from outside in any shape: nothing throws but what says what is wrong, and nothing takes long to read. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { readRetryAfter, waitBefore } from "../../../cli/api/back-off.ts";
import { readRequest } from "../../../cli/arguments.ts";
import { CliFailure } from "../../../cli/failure.ts";
import { readComments, readDataUrl } from "../../../cli/maps/comments.ts";
import { lastDeployed } from "../../../cli/wrangler/output-file.ts";
import { matchFile } from "../../../workers/errors/maps/match.ts";

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      "//# ",
      "//@ ",
      "sourceMappingURL=",
      "debugId=",
      "data:application/json;base64,",
      "\n",
      "\r\n",
      " ",
      '"',
    ),
    fc.string(),
  ),
);

it("generated code", () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const { url, debugId } = readComments(parts.join(""));
      for (const value of [url, debugId]) expect(value === undefined || /^\S+$/.test(value)).toBe(true);
      readDataUrl(url ?? "");
    }),
  );
});

it("generated code of megabytes that is nearly a comment", () => {
  const lines = "//# sourceMappingURL=\n".repeat(200_000);
  expect(readComments(lines).url).toBeUndefined();
  const inline = `x();\n//# sourceMappingURL=data:application/json;base64,${"A".repeat(20_000_000)}\n`;
  expect(readDataUrl(readComments(inline).url ?? "")?.byteLength).toBe(15_000_000);
});

it("command lines", () => {
  const word = fc.oneof(
    fc.constantFrom(
      "sourcemaps",
      "upload",
      "list",
      "deploy",
      "tail",
      "--rate",
      "--for",
      "-colo:LHR",
      "--",
      "--worker",
      "--version",
      "--help",
      "versions",
      "-h",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
      try {
        const request = readRequest(argv, { TAILRACE_URL: "https://t.example", TAILRACE_TOKEN: "x" });
        // No argument of a process holds it; it marks words in between.
        if (request.command === "tail" && !argv.join("").includes("\0")) expect(request.q).not.toContain("\0");
      } catch (error) {
        expect(error).toBeInstanceOf(CliFailure);
        expect((error as CliFailure).exitCode).toBe(2);
      }
    }),
  );
});

it("what wrangler and servers say", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.json(), fc.string())),
      fc.string(),
      fc.double({ noNaN: true, min: 0, max: 1 }),
      (lines, header, random) => {
        lastDeployed(lines.join("\n"));
        const wait = waitBefore(1, random, readRetryAfter(header, 0));
        expect(wait === undefined || (wait >= 0 && wait <= 61_000)).toBe(true);
      },
    ),
  );
});

it("names of files: what is found is one of them and shares its last part with what was asked", () => {
  const name = fc
    .array(fc.constantFrom("a", "b", "index.js", "..", "", "C:"), { maxLength: 5 })
    .map((parts) => parts.join("/"));
  const asked = fc.oneof(
    name,
    name.map((path) => `file:///${path}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(name), asked, (files, file) => {
      const found = matchFile(
        files.map((each) => ({ file: each })),
        file,
      );
      if (found === undefined) return;
      const last = (path: string) =>
        path
          .split(/[\\/]/)
          .filter((part) => part !== "" && part !== ".")
          .at(-1);
      expect(files).toContain(found.file);
      expect(last(found.file)).toBe(last(file.replace(/[?#].*$/, "")));
    }),
  );
});
