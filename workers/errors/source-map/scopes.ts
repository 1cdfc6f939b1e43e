/**
 * The functions of generated code and where each got its name, and the places
 * that V8 prints but maps leave out. Only the command imports this (it brings
 * acorn); convert.ts leads both back through the map. Names are inferred as js-source-scopes and V8 do it: from the
 * function, the variable, the property or the class field that it becomes.
 *
 * Code that cannot be parsed has no functions: the map is as good without.
 */
import { type Node, type Options, Parser } from "acorn";
import type { CodeScopes, FunctionRange, NamePart, V8Place } from "./functions.ts";

/** Far beyond what Workers accept (10 MB compressed): a minute of parsing. */
const MAX_CODE_CHARS = 64 * 1024 * 1024;

export type ScopesRead = { ok: true; scopes: CodeScopes } | { ok: false; problem: string };

export function readScopes(code: string): ScopesRead {
  if (code.length > MAX_CODE_CHARS) {
    return {
      ok: false,
      problem: `the code has more than ${MAX_CODE_CHARS / 1024 / 1024} MB: function names are left out`,
    };
  }
  try {
    return { ok: true, scopes: parseScopes(code) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: `the code cannot be parsed, so function names are left out: ${why}` };
  }
}

const LENIENT: Omit<Options, "sourceType"> = {
  ecmaVersion: "latest",
  allowHashBang: true,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowSuperOutsideMethod: true,
  checkPrivateFields: false,
};

/** Service-worker and CommonJS bundles may be sloppy scripts. */
function parseScopes(code: string): CodeScopes {
  try {
    return readAs("module", code);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return readAs("script", code);
  }
}

/**
 * The tree of a whole bundle takes fifty times the code's size. So the body of
 * each function is read as soon as it is parsed, and let go.
 */
function readAs(sourceType: "module" | "script", code: string): CodeScopes {
  const reader = new ScopeReader(code);
  const Reading = Parser.extend((Base) => {
    const Inner = Base as unknown as ParserClass;
    class BodyReader extends Inner {
      override parseFunctionBody(node: Syntax, ...rest: unknown[]): void {
        super.parseFunctionBody(node, ...rest);
        if (isNode(node.body)) reader.read(node.body);
        node.body = undefined;
      }
    }
    return BodyReader as unknown as typeof Parser;
  });
  reader.read(Reading.parse(code, { ...LENIENT, sourceType }) as Syntax);
  return { functions: reader.ranges(), places: reader.v8Places() };
}

/** What acorn's plugins override, which its types leave out. */
type ParserClass = new (...args: unknown[]) => { parseFunctionBody(node: Syntax, ...rest: unknown[]): void };

/** acorn's nodes by the members that matter here. */
type Syntax = Node & {
  id?: Syntax | null;
  key?: Syntax;
  value?: unknown;
  init?: Syntax | null;
  left?: Syntax;
  right?: Syntax;
  object?: Syntax;
  property?: Syntax;
  body?: Syntax | Syntax[];
  properties?: Syntax[];
  callee?: Syntax;
  argument?: Syntax | null;
  arguments?: Syntax[];
  params?: Syntax[];
  name?: string;
  operator?: string;
  kind?: string;
  computed?: boolean;
  static?: boolean;
  optional?: boolean;
};

class ScopeReader {
  private readonly found: { start: number; end: number; name: NamePart[]; isModule: boolean }[] = [];
  /** Names that a parent gave to a function, a class or an object before they were visited. */
  private readonly given = new Map<Syntax, NamePart[]>();
  private readonly modules = new Set<Syntax>();
  private readonly parts = new Map<Syntax, NamePart>();
  private readonly places: { at: number; mapped: number; isKeyword: boolean }[] = [];
  private readonly lineStarts: Uint32Array;
  private readonly code: string;

  constructor(code: string) {
    this.code = code;
    const starts = [0];
    for (const end of code.matchAll(/\r\n|[\n\r\u2028\u2029]/g)) starts.push(end.index + end[0].length);
    this.lineStarts = Uint32Array.from(starts);
  }

  /** All functions of this part of the tree but those within bodies, which were read before. */
  read(root: Syntax): void {
    // Not recursive: generated code nests deeper than a call stack.
    const stack: Syntax[] = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      this.visit(node);
      for (const value of Object.values(node)) {
        if (Array.isArray(value)) {
          for (const child of value) if (isNode(child)) stack.push(child);
        } else if (isNode(value)) stack.push(value);
      }
    }
    this.given.clear();
    this.modules.clear();
    this.parts.clear();
  }

  ranges(): FunctionRange[] {
    this.found.sort((a, b) => a.start - b.start || b.end - a.end);
    return this.found.map(({ start, end, name, isModule }) => {
      const from = this.position(start);
      const to = this.position(end);
      return { line: from.line, column: from.column, endLine: to.line, endColumn: to.column, name, isModule };
    });
  }

  v8Places(): V8Place[] {
    this.places.sort((a, b) => a.mapped - b.mapped || a.at - b.at);
    const places: V8Place[] = [];
    for (const { at, mapped, isKeyword } of this.places) {
      const { line, column } = this.position(at);
      const to = this.position(mapped);
      if (to.line === line && to.column - column <= MAX_PLACE_CHARS)
        places.push({ line, column, mappedColumn: to.column, isKeyword });
    }
    return places;
  }

  private visit(node: Syntax): void {
    switch (node.type) {
      case "MemberExpression":
        this.propertyRead(node);
        return;
      case "AwaitExpression":
      case "YieldExpression":
      case "ThrowStatement":
      case "NewExpression":
        this.keyword(node);
        return;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ArrowFunctionExpression": {
        const name = isNode(node.id) ? [this.part(node.id)] : (this.given.get(node) ?? this.declared(node));
        this.found.push({ start: node.start, end: node.end, name, isModule: this.modules.has(node) });
        return;
      }
      case "VariableDeclarator":
        if (node.id?.type === "Identifier") this.give(node.init, [this.part(node.id)]);
        return;
      case "AssignmentExpression":
      case "AssignmentPattern":
        if (node.operator === undefined || /^(=|\|\|=|&&=|\?\?=)$/.test(node.operator)) {
          this.give(node.right, this.target(node.left));
        }
        return;
      case "ClassDeclaration":
      case "ClassExpression":
        this.members(node);
        return;
      case "ObjectExpression":
        this.properties(node);
        return;
      case "CallExpression":
        this.keptName(node);
        return;
    }
  }

  /** The name of what a value is assigned to, for the function, class or object that it is. */
  private give(value: unknown, name: NamePart[]): void {
    if (!isNode(value) || name.length === 0) return;
    const inner = unwrapped(value);
    const kept = keptName(inner);
    if (kept !== undefined) this.give(kept.what, [...name.slice(0, -1), literal(kept.name)]);
    else if (LITERALS.has(inner.type)) this.given.set(inner, name);
  }

  /** `await`, `throw`, `new`: some bundlers map only what follows, as `f` in `throw new f()`, or in `await (await f()).g()`. */
  private keyword(node: Syntax): void {
    const starts: number[] = [];
    let inner = node.argument ?? node.callee;
    for (let depth = 0; inner != null && depth < MAX_TARGET_PARTS; depth++) {
      // A function that was put where it is called leads to where it is declared.
      if (LITERALS.has(inner.type)) return;
      starts.push(inner.start);
      inner = inner.argument ?? inner.callee ?? inner.object;
    }
    for (const mapped of starts) this.places.push({ at: node.start, mapped, isKeyword: true });
  }

  /** V8's parser takes another way once a call or `?.` came (ParseLeftHandSideContinuation), and notes the place of the sign, not of the name. */
  private propertyRead(node: Syntax): void {
    const { object, property } = node;
    if (object === undefined || property === undefined || !(node.optional || followsCall(object))) return;
    const sign = node.optional ? "?." : node.computed ? "[" : ".";
    const at = this.code.indexOf(sign, object.end);
    if (at >= object.end && at < property.start) this.places.push({ at, mapped: property.start, isKeyword: false });
  }

  /** Where the name was kept and nothing else gave one. */
  private keptName(node: Syntax): void {
    const kept = keptName(node);
    if (kept !== undefined && !this.given.has(unwrapped(kept.what))) this.give(node, [literal(kept.name)]);
  }

  private members(node: Syntax): void {
    const name = isNode(node.id) ? [this.part(node.id)] : (this.given.get(node) ?? []);
    const body = isNode(node.body) ? node.body.body : [];
    for (const member of Array.isArray(body) ? body : []) {
      if (member.type === "MethodDefinition" && isNode(member.value)) {
        // V8 prints `new Cart`, of which `new` is no part of the name.
        if (member.kind === "constructor") this.given.set(member.value, name);
        else this.give(member.value, this.member(name, member));
      } else if (member.type === "PropertyDefinition") {
        this.give(member.value, this.member(name, member));
      }
    }
  }

  private properties(node: Syntax): void {
    const name = this.given.get(node) ?? [];
    for (const property of node.properties ?? []) {
      if (property.type !== "Property" || !isNode(property.value)) continue;
      const { key } = property;
      if (key?.type === "Literal" && isModuleKey(key.value)) this.modules.add(unwrapped(property.value));
      else {
        this.give(property.value, this.member(name, property));
      }
    }
  }

  /** `Cart` and `add`; without a key that can be read, nothing. */
  private member(owner: NamePart[], member: Syntax): NamePart[] {
    const { key } = member;
    if (key === undefined) return [];
    if (member.computed === true) {
      return key.type === "Literal" && isWord(key.value) ? [...owner, literal(String(key.value))] : [];
    }
    if (key.type === "Literal") return typeof key.value === "string" ? [...owner, literal(key.value)] : [];
    const part = this.part(key);
    if (key.type === "PrivateIdentifier" && member.start < key.start)
      part.member ??= { text: part.text, ...this.position(member.start) };
    return [...owner, part];
  }

  /** `x = …`, `a.b.c = …`; `exports`, `this` and `prototype` say nothing. */
  private target(left: Syntax | undefined): NamePart[] {
    const parts: NamePart[] = [];
    let node = left;
    for (let depth = 0; node !== undefined && depth < MAX_TARGET_PARTS; depth++) {
      if (node.type === "Identifier") {
        if (!SILENT.has(node.name ?? "")) parts.unshift(this.part(node));
        return parts;
      }
      if (node.type !== "MemberExpression" || node.property === undefined) return parts;
      if (node.computed !== true && !SILENT.has(node.property.name ?? "")) parts.unshift(this.part(node.property));
      else if (node.computed === true && parts.length === 0) return [];
      node = node.object;
    }
    return parts;
  }

  /** One object for one identifier: the methods of a class share its name. */
  private part(node: Syntax): NamePart {
    let part = this.parts.get(node);
    if (part === undefined) {
      const text = node.name ?? "";
      part = { text: node.type === "PrivateIdentifier" ? `#${text}` : text, ...this.position(node.start) };
      this.parts.set(node, part);
    }
    return part;
  }

  /** Where a function without a name begins, and its first parameter: one of them is mapped. */
  private declared(node: Syntax): NamePart[] {
    const starts = [node.start, ...(node.params ?? []).slice(0, 1).map((parameter) => parameter.start)];
    return starts.map((start) => ({ text: "", declared: true, ...this.position(start) }));
  }

  /** From 0. */
  private position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.lineStarts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: offset - (this.lineStarts[low] as number) };
  }
}

/** Bundlers keep modules as functions under a path or a number. */
function isModuleKey(key: unknown): boolean {
  if (typeof key !== "string") return typeof key === "number";
  return /\.\w{1,8}$/.test(key) && (key.includes("/") || /\.[cm]?[jt]sx?$/.test(key));
}

/** `a.b.c.d = function …` and no longer. */
const MAX_TARGET_PARTS = 4;
/** A keyword and what it is before stand close together. */
const MAX_PLACE_CHARS = 64;
/** `f().a.b.c` and no longer. */
const MAX_READ_PARTS = 32;
const LITERALS = new Set(["FunctionExpression", "ArrowFunctionExpression", "ClassExpression", "ObjectExpression"]);
const SILENT = new Set(["exports", "module", "this", "prototype", "globalThis", "self", "window"]);

/** What leaves the name of a function as it is: `(…)`, and `a = b = …`. */
function unwrapped(node: Syntax): Syntax {
  let inner = node;
  for (let depth = 0; depth < MAX_TARGET_PARTS; depth++) {
    if (inner.type === "ParenthesizedExpression" && "expression" in inner && isNode(inner.expression))
      inner = inner.expression;
    else if (inner.type === "AssignmentExpression" && inner.operator === "=" && isNode(inner.right))
      inner = inner.right;
    else break;
  }
  return inner;
}

function followsCall(node: Syntax): boolean {
  let inner: Syntax | undefined = node;
  for (let depth = 0; inner !== undefined && depth < MAX_READ_PARTS; depth++) {
    if (inner.type === "CallExpression" || inner.type === "ImportExpression") return true;
    if (inner.type !== "MemberExpression") return false;
    if (inner.optional === true) return true;
    inner = inner.object;
  }
  return false;
}

/** esbuild keeps names, as wrangler asks it to, by `__name(function, "add")`, whatever `__name` is shortened to. */
function keptName(node: Syntax): { what: Syntax; name: string } | undefined {
  const [what, name] = node.arguments ?? [];
  if (node.type !== "CallExpression" || node.callee?.type !== "Identifier" || node.arguments?.length !== 2)
    return undefined;
  if (what === undefined || !LITERALS.has(what.type) || name?.type !== "Literal") return undefined;
  if (typeof name.value !== "string" || !/^\S{1,100}$/.test(name.value)) return undefined;
  return { what, name: name.value };
}

function literal(text: string): NamePart {
  return { text, line: -1, column: 0 };
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && /^[\p{ID_Start}$_][\p{ID_Continue}$-]*$/u.test(value);
}

function isNode(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
