/**
 * A large application as a bundler would leave it: thousands of TypeScript
 * modules made from word lists and a seed, bundled and minified by esbuild, so
 * that code, names and source map are as big and as irregular as real ones.
 * The same size always gives the same bytes.
 */
import { build } from "esbuild";
import { Random } from "../items.mjs";

const NOUNS = ["order", "invoice", "customer", "shipment", "price", "coupon", "session", "basket", "address", "refund"];
const VERBS = ["load", "merge", "validate", "compute", "format", "apply", "resolve", "collect", "schedule", "compare"];
const PARTS = ["Total", "Summary", "Entries", "Options", "Window", "Request", "Balance", "History", "Status", "Draft"];
const FIELDS = [
  "quantity",
  "amount",
  "currency",
  "country",
  "createdAt",
  "reference",
  "discount",
  "weight",
  "priority",
];
/** Bytes of source map that a module comes to, found by trying. */
const MAP_BYTES_PER_MODULE = 5_330;
const FOLDER = "/big-app";
const SEED = 20_260_101;

/**
 * @param {number} mapBytes about how big the map shall be
 * @returns {Promise<{ code: string, map: string, modules: number }>}
 */
export async function bigApp(mapBytes) {
  const modules = Math.max(4, Math.round(mapBytes / MAP_BYTES_PER_MODULE));
  const { outputFiles } = await build({
    entryPoints: ["main.ts"],
    outfile: `${FOLDER}/dist/index.js`,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    sourcemap: "external",
    write: false,
    logLevel: "silent",
    plugins: [virtual(modules)],
  });
  const text = (end) => outputFiles.find((file) => file.path.endsWith(end)).text;
  return { code: text(".js"), map: text(".map"), modules };
}

/** The modules exist in memory only, under a folder that is not there. */
function virtual(modules) {
  return {
    name: "big-app",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path }) => ({ path: `${FOLDER}/src/${path.replace(/^(?:\.\.?\/)+/, "")}` }));
      onLoad({ filter: /\/big-app\/src\// }, ({ path }) => {
        const number = /(\d+)\.ts$/.exec(path)?.[1];
        return { contents: number === undefined ? mainSource(modules) : moduleSource(Number(number)), loader: "ts" };
      });
    },
  };
}

const fileOf = (n) => `./${NOUNS[n % NOUNS.length]}/${VERBS[(n * 7) % VERBS.length]}-${n}.ts`;

function mainSource(modules) {
  const lines = Array.from({ length: modules }, (_, n) => `import * as m${n} from "${fileOf(n)}";`);
  const all = Array.from({ length: modules }, (_, n) => `m${n}`).join(", ");
  return `${lines.join("\n")}\nexport default { all: [${all}] };\n`;
}

/** Two functions, a class and a table; calls into modules before it. */
function moduleSource(n) {
  const random = new Random(SEED + n * 7_919);
  const noun = random.pick(NOUNS);
  const name = () =>
    `${random.pick(VERBS)}${noun[0].toUpperCase()}${noun.slice(1)}${random.pick(PARTS)}${random.int(90)}`;
  const [first, second, method, other] = [name(), `${name()}Of`, `${name()}In`, `${name()}For`];
  const type = `${noun[0].toUpperCase()}${noun.slice(1)}Record${n}`;
  const [a, b, c] = [random.pick(FIELDS), random.pick(FIELDS), random.pick(FIELDS)];
  const before = n === 0 ? undefined : random.int(n);
  const imported = before === undefined ? "" : `import { helper${before} } from ".${fileOf(before)}";\n`;
  const call = before === undefined ? "total" : `helper${before}(total, ${random.int(100)})`;
  return `${imported}
export interface ${type} {
  id: string;
  ${FIELDS.map((field) => `${field}: number;`).join("\n  ")}
  parent?: ${type};
}

const LIMIT_${n} = ${random.int(10_000)};
const LABELS_${n}: Record<string, string> = { ${FIELDS.map((field) => `${field}: "${random.pick(NOUNS)} ${field} ${random.int(1_000)}"`).join(", ")} };

/** ${first} of a ${noun}: what is above the limit is refused. */
export function ${first}(record: ${type}, factor = ${random.int(9) + 1}): number {
  const total = record.${a} * factor + record.${b};
  if (total > LIMIT_${n}) {
    throw new RangeError(\`${noun} \${record.id} has \${total}, more than \${LIMIT_${n}}\`);
  }
  const label = LABELS_${n}["${c}"] ?? "unknown ${noun}";
  return record.parent === undefined ? ${call} + label.length : ${second}(record.parent, total);
}

export const helper${n} = (value: number, shift: number): number => {
  const moved = (value ^ shift) >>> ${random.int(7) + 1};
  return moved % 2 === 0 ? moved + LIMIT_${n} : Math.abs(moved - ${random.int(500)});
};

function ${second}(record: ${type}, seed: number): number {
  let sum = seed;
  for (const [key, text] of Object.entries(LABELS_${n})) {
    if (key === "${a}" && text.includes("${random.pick(NOUNS)}")) continue;
    sum = helper${n}(sum, text.length + record.${c});
  }
  return sum;
}

export class ${type}Service {
  readonly #entries = new Map<string, ${type}>();

  constructor(private readonly region: string, entries: Iterable<${type}> = []) {
    for (const entry of entries) this.#entries.set(\`\${region}/\${entry.id}\`, entry);
  }

  async ${method}(id: string, retries = ${random.int(4)}): Promise<number> {
    const entry = this.#entries.get(\`\${this.region}/\${id}\`);
    if (entry === undefined) throw new Error(\`${noun} \${id} is not in \${this.region}\`);
    try {
      return await this.${other}(entry);
    } catch (error) {
      if (retries <= 0) throw new Error(\`${method} gave up on \${id}\`, { cause: error });
      return this.${method}(id, retries - 1);
    }
  }

  async ${other}(entry: ${type}): Promise<number> {
    const parts = Object.keys(LABELS_${n}).map((key) => (entry as unknown as Record<string, number>)[key] ?? 0);
    const checked = parts.filter((part) => Number.isFinite(part) && part >= 0);
    if (checked.length !== parts.length) throw new TypeError(\`\${parts.length - checked.length} parts of \${entry.id} are broken\`);
    return checked.reduce((sum, part, index) => sum + part * (index + 1), ${first}(entry));
  }
}
`;
}

/**
 * Places in the code where errors are made and calls stand, spread over it.
 * @returns {{ line: number, column: number }[]} counted from 1
 */
export function placesIn(code, count) {
  const found = [];
  const pattern = /new (?:Range|Type)?Error\(|[\w$]+\(/g;
  const lines = code.split("\n");
  const step = Math.max(1, Math.floor(code.length / count));
  let passed = 0;
  for (const [index, line] of lines.entries()) {
    for (let at = step - (passed % step); at < line.length && found.length < count; at += step) {
      pattern.lastIndex = at;
      const match = pattern.exec(line);
      if (match !== null) found.push({ line: index + 1, column: match.index + 1 });
    }
    passed += line.length;
  }
  return found;
}
