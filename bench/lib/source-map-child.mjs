/** What one frame costs who loads the whole map: file to answer, with the package `source-map`, in a process of its own. */
import { readFileSync } from "node:fs";
import { SourceMapConsumer } from "source-map";

const [file, line, column] = process.argv.slice(2);
const started = performance.now();
const consumer = await new SourceMapConsumer(JSON.parse(readFileSync(file, "utf8")));
const found = consumer.originalPositionFor({ line: Number(line), column: Number(column) - 1 });
console.log(JSON.stringify({ ms: performance.now() - started, line: found.line }));
