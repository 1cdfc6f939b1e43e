/**
 * Prints what the dashboard's first load costs, and fails past the limit.
 *
 * First load = the scripts and style sheets that index.html and the Overview
 * route need before they show, gzip. uPlot, which draws the Overview's charts,
 * comes right after; both together are printed too. Other chunks are listed.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const DIST = fileURLToPath(new URL("../dist/dashboard/", import.meta.url));
const AIM_KB = 50;
const LIMIT_KB = 80;
const ENTRY = "index.html";
const FIRST_ROUTE = "src/pages/overview.tsx";
const CHARTS = "src/components/plot.ts";

const gzipBytes = (file) => gzipSync(readFileSync(DIST + file), { level: 9 }).length;

/** Files of a manifest entry and of all that it imports statically. */
function filesOf(manifest, key, seen = new Set()) {
  const chunk = manifest[key];
  if (chunk === undefined || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const css of chunk.css ?? []) seen.add(css);
  for (const next of chunk.imports ?? []) filesOf(manifest, next, seen);
  return seen;
}

const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
const manifest = JSON.parse(readFileSync(`${DIST}manifest.json`, "utf8"));
const first = filesOf(manifest, FIRST_ROUTE, filesOf(manifest, ENTRY));
first.add("theme.js");
const all = new Set(Object.keys(manifest).flatMap((key) => [...filesOf(manifest, key)]));
const sum = (files, ext) => [...files].filter((f) => f.endsWith(ext)).reduce((n, f) => n + gzipBytes(f), 0);

const js = sum(first, ".js");
console.log(`dashboard first load, gzip JavaScript: ${kb(js)} (aim ${AIM_KB} KB, limit ${LIMIT_KB} KB)`);
const withCharts = filesOf(manifest, CHARTS, new Set(first));
console.log(`  with the Overview's charts: ${kb(sum(withCharts, ".js"))}`);
console.log(`dashboard first load, gzip CSS: ${kb(sum(first, ".css"))}`);
for (const file of [...all].filter((f) => f.endsWith(".js") && !first.has(f)))
  console.log(`  later: ${file} ${kb(gzipBytes(file))}`);
if (js > LIMIT_KB * 1024) {
  console.error(`The dashboard's first load is over ${LIMIT_KB} KB of JavaScript.`);
  process.exit(1);
}
