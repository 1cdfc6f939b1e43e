/**
 * What the Workers print, in <data>/workers.log: for looking into a problem of
 * this run, not an archive. One older file is kept, so the two together are
 * bounded.
 */
import { createWriteStream, renameSync } from "node:fs";

const MAX_FILE_BYTES = 4 * 2 ** 20;

/** @returns {(line: string) => void} */
export function openWorkerLog(path) {
  let file = open(path);
  let bytes = 0;
  return (line) => {
    if (bytes > MAX_FILE_BYTES) {
      file.end();
      renameSync(path, `${path}.1`);
      file = open(path);
      bytes = 0;
    }
    bytes += line.length + 1;
    file.write(`${line}\n`);
  };
}

function open(path) {
  const file = createWriteStream(path, { flags: "w", mode: 0o600 });
  // A full disk is the Workers' own problem to report; their log is the least of it.
  file.on("error", () => {});
  return file;
}
