/**
 * Builds the dashboard into dist/dashboard, which the Worker serves as its
 * static assets. Routes and uPlot become chunks of their own; `size.mjs`
 * watches what the first load costs.
 */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** `TAILRACE_API` points `vite` at a running platform while one works on the dashboard. */
const api = process.env.TAILRACE_API ?? "http://localhost:8787";

export default defineConfig({
  root,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("../dist/dashboard", import.meta.url)),
    emptyOutDir: true,
    // The first with light-dark(), which the two themes are written in.
    target: ["chrome123", "firefox120", "safari17.5"],
    // The CSP forbids data: fonts and scripts; every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": api, "/healthz": api } },
});
