/**
 * test/fixtures/bundled-app, bundled and minified by those bundlers that teams
 * use for Workers, each with the source map that it writes; and what its
 * sources say about where each of its cases is thrown.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const APP = resolve("test/fixtures/bundled-app");
const ENTRY = join(APP, "src/index.ts");

export interface Bundle {
  code: string;
  map: Record<string, unknown>;
}

/** What a case throws in this very bundle, with the stack as workerd would print it: the module is `index.js`. */
export async function thrownBy(bundle: Bundle, name: string): Promise<Error> {
  const folder = mkdtempSync(join(tmpdir(), "tailrace-app-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "index.js"), bundle.code);
    const app = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "index.js")).href)) as {
      default: { fetch(request: Request): Promise<Response> };
    };
    await app.default.fetch(new Request(`http://app.example/?case=${name}`));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [first, ...frames] = (error.stack ?? "").split("\n");
    const ours = frames.filter((line) => line.includes(`${folder}/index.js`));
    error.stack = [first, ...ours].join("\n").replaceAll(/(?:file:\/\/)?[^\s()]*\/index\.js/g, "index.js");
    return error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  throw new Error(`${name} threw nothing`);
}

/** A line of the app's sources that a frame must lead to. */
export interface Mark {
  /** `src/cart/line.ts` */
  file: string;
  line: number;
  function: string;
  /** From where it is thrown, library frames not counted. */
  depth: number;
}

/** By case, in the order of the frames. */
export function readMarks(): Map<string, Mark[]> {
  const marks = new Map<string, Mark[]>();
  for (const name of readdirSync(join(APP, "src"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    const path = join(APP, "src", name);
    readFileSync(path, "utf8")
      .split("\n")
      .forEach((text, index) => {
        const match = /\/\/ (\w+) (\d+): (\S+)$/.exec(text);
        if (match === null) return;
        const [, of = "", depth, called = ""] = match;
        const mark = { file: relative(APP, path), line: index + 1, function: called, depth: Number(depth) };
        marks.set(
          of,
          [...(marks.get(of) ?? []), mark].sort((a, b) => a.depth - b.depth),
        );
      });
  }
  return marks;
}

export const BUNDLERS: Record<string, () => Promise<Bundle>> = {
  esbuild: () => withEsbuild(),
  "vite (rolldown)": withVite,
  "rollup + terser": withRollup,
  webpack: withWebpack,
};

/** @param minifyIdentifiers false: other names and columns, as another version has them */
export async function withEsbuild(minifyIdentifiers = true): Promise<Bundle> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [ENTRY],
    outfile: "index.js",
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    minifyIdentifiers,
    format: "esm",
    sourcemap: "external",
    write: false,
    logLevel: "silent",
  });
  const text = (end: string) => outputFiles.find((file) => file.path.endsWith(end))?.text ?? "";
  return { code: text(".js"), map: JSON.parse(text(".map")) };
}

async function withVite(): Promise<Bundle> {
  const { build } = await import("vite");
  const built = await build({
    configFile: false,
    root: APP,
    logLevel: "silent",
    build: {
      write: false,
      minify: true,
      sourcemap: "hidden",
      target: "es2022",
      lib: { entry: ENTRY, formats: ["es"], fileName: "index" },
    },
  });
  const [result] = Array.isArray(built) ? built : [];
  const chunk = result?.output.find((part) => part.type === "chunk");
  return { code: chunk?.code ?? "", map: JSON.parse(JSON.stringify(chunk?.map ?? {})) };
}

/** Types are taken out by esbuild, file by file; terser minifies what rollup has joined. Three maps become one. */
async function withRollup(): Promise<Bundle> {
  const { rollup } = await import("@rollup/wasm-node");
  const { transform } = await import("esbuild");
  const { minify } = await import("terser");
  const build = await rollup({
    input: ENTRY,
    onwarn: () => {},
    plugins: [
      {
        name: "packages",
        resolveId: (id) => (id === "valibot" ? resolve("node_modules/valibot/dist/index.mjs") : null),
      },
      {
        name: "types",
        async transform(code, id) {
          if (!id.endsWith(".ts")) return null;
          const done = await transform(code, { loader: "ts", sourcemap: true, sourcefile: id, target: "es2022" });
          return { code: done.code, map: done.map };
        },
      },
      {
        name: "terser",
        async renderChunk(code) {
          const done = await minify(code, { module: true, sourceMap: { includeSources: true } });
          return { code: done.code ?? "", map: done.map as string };
        },
      },
    ],
  });
  const { output } = await build.generate({ format: "es", sourcemap: "hidden" });
  await build.close();
  return { code: output[0].code, map: JSON.parse(JSON.stringify(output[0].map)) };
}

async function withWebpack(): Promise<Bundle> {
  const { default: webpack } = await import("webpack");
  const folder = mkdtempSync(join(tmpdir(), "tailrace-webpack-"));
  try {
    const loader = join(folder, "types.cjs");
    writeFileSync(loader, TYPES_LOADER);
    const compiler = webpack({
      mode: "production",
      target: ["webworker", "es2022"],
      context: APP,
      entry: ENTRY,
      devtool: "hidden-source-map",
      experiments: { outputModule: true },
      output: { path: folder, filename: "index.js", library: { type: "module" } },
      module: { rules: [{ test: /\.ts$/, loader }] },
      performance: false,
    });
    await new Promise<void>((done, fail) => {
      compiler?.run((error, stats) => {
        if (error || stats?.hasErrors()) fail(error ?? new Error(stats?.toString("errors-only")));
        else compiler.close(() => done());
      });
    });
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    return { code: read("index.js"), map: JSON.parse(read("index.js.map")) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** webpack loads loaders by path. */
const TYPES_LOADER = `module.exports = function (source) {
  const { transform } = require(${JSON.stringify(resolve("node_modules/esbuild"))});
  const done = this.async();
  transform(source, { loader: "ts", sourcemap: true, sourcefile: this.resourcePath, target: "es2022" })
    .then(({ code, map }) => done(null, code, JSON.parse(map)), done);
};
`;
