/**
 * A parsed trace → the team's own source, by the source maps of the very version
 * that threw it, causes and parts included. The Collector (`ingest/grouping/`)
 * asks `symbolicateCached`, which never waits; it, regrouping (`issues/`) and
 * `api/` ask `symbolicate`, which reads what is missing. Where no map says
 * anything a frame keeps what V8 printed, so a stack can always be shown.
 */
import type { ErrorTrace, Frame, SourceContext, SourceFrame, SourceTrace } from "../trace.ts";
import { isInFolder, isOwn, originOf, withoutMinified } from "./frames.ts";

/** Of the frames that could be mapped. */
export type MapState =
  /** There were none: mapped before, the runtime's own, or no stack. */
  | "none"
  | "mapped"
  /** Some have no place in the map, or files of their own without one. */
  | "partly"
  /** There is no map of this version. */
  | "missing"
  /** A map could not be read. */
  | "failed";

export interface Symbolicated {
  trace: SourceTrace;
  state: MapState;
}

/** What is deployed where. Maps are of exactly this version: one of another would tell lies. */
export interface Deployed {
  script: string;
  /** "" when it is not known: then there is no map either. */
  version: string;
}

export interface Position {
  line: number;
  column: number;
}

/** Where a position of the bundle comes from. */
export interface Place {
  /** Number of the source within the map. */
  source: number;
  file: string;
  line: number;
  column: number;
  /** Original name of what stands there. */
  name: string | null;
  /** Original name of the function around it: "" at the top of a module, null where the map has no functions. */
  function: string | null;
  /** On the map's `ignoreList`. */
  ignored: boolean;
}

/** A map that can be asked (`source-map/open.ts`). */
export interface PlaceMap {
  /** In the order of the positions. */
  locateAll(positions: Position[]): Promise<(Place | undefined)[]>;
  /** "absent": that part of the map is not in memory. */
  locateCached(line: number, column: number): Place | undefined | "absent";
  context(place: Place, radius: number): Promise<SourceContext | undefined>;
}

/** Maps by version and file (`maps/lookup.ts`). */
export interface PlaceMaps {
  find(script: string, version: string, file: string): Promise<PlaceMap | "none" | "failed">;
  /** Undefined: it is not known without asking the stores. */
  findCached(script: string, version: string, file: string): PlaceMap | "none" | undefined;
  /** Has the version a map of any file? Asked once a look-up in it has said "none". */
  hasAny(script: string, version: string): boolean;
}

/** Frames of a trace, causes and parts together, that are mapped: a stack of a thousand says the same again and again. */
const MAX_MAPPED_FRAMES = 250;
/** Frames that get their source lines: what a page shows. */
const MAX_CONTEXT_FRAMES = 60;
/** Lines on either side. */
const CONTEXT_RADIUS = 5;

/** What became of a frame that a map could have something to say about. */
type Found = { place: Place; map: PlaceMap } | "unmapped" | "source" | "none" | "failed";
type Answers = Map<Frame, Found>;

/** Reads what it needs. Never rejects. */
export async function symbolicate(
  trace: ErrorTrace,
  where: Deployed,
  maps: PlaceMaps,
  { context }: { context: boolean },
): Promise<Symbolicated> {
  const answers: Answers = new Map();
  const files = Map.groupBy(mappable(trace), (frame) => frame.file as string);
  await Promise.all([...files].map(([file, frames]) => findAll(file, frames, where, maps, answers)));
  tellSources(answers, where, maps);
  const done = assemble(trace, answers);
  if (context) await addContext(done.trace, answers);
  return done;
}

/** The same, if everything that it takes is in memory. */
export function symbolicateCached(trace: ErrorTrace, where: Deployed, maps: PlaceMaps): Symbolicated | undefined {
  const answers: Answers = new Map();
  for (const frame of mappable(trace)) {
    const found = where.version === "" ? "none" : findCached(frame, where, maps);
    if (found === undefined) return undefined;
    answers.set(frame, found);
  }
  tellSources(answers, where, maps);
  return assemble(trace, answers);
}

/** Without asking any map: `state` tells what is missing. */
export function unsymbolicated(trace: ErrorTrace, reason: "none" | "failed"): Symbolicated {
  return assemble(trace, new Map(mappable(trace).map((frame) => [frame, reason])));
}

async function findAll(
  file: string,
  frames: Frame[],
  { script, version }: Deployed,
  maps: PlaceMaps,
  answers: Answers,
): Promise<void> {
  const tell = (found: Found) => {
    for (const frame of frames) answers.set(frame, found);
  };
  try {
    const map = version === "" ? "none" : await maps.find(script, version, file);
    if (map === "none" || map === "failed") return tell(map);
    const places = await map.locateAll(
      frames.map(({ line, column }) => ({ line: line as number, column: column as number })),
    );
    frames.forEach((frame, i) => {
      const place = places[i];
      answers.set(frame, place === undefined ? "unmapped" : { place, map });
    });
  } catch {
    tell("failed");
  }
}

function findCached(frame: Frame, { script, version }: Deployed, maps: PlaceMaps): Found | undefined {
  const map = maps.findCached(script, version, frame.file as string);
  if (map === undefined || map === "none") return map;
  const place = map.locateCached(frame.line as number, frame.column as number);
  if (place === "absent") return undefined;
  return place === undefined ? "unmapped" : { place, map };
}

/**
 * `src/cart.js` in a version whose maps are of other files: it was mapped before
 * it came here, so there is no map to wait for.
 */
function tellSources(answers: Answers, { script, version }: Deployed, maps: PlaceMaps): void {
  for (const [frame, found] of answers) {
    if (found === "none" && isInFolder(frame.file) && maps.hasAny(script, version)) answers.set(frame, "source");
  }
}

/** Frames of the bundle with a position, of the error, its causes and parts. */
function mappable(trace: ErrorTrace): Frame[] {
  const frames: Frame[] = [];
  eachTrace(trace, (one) => {
    const own: Frame[] = [];
    for (const frame of one.frames) {
      const origin = originOf(frame);
      // One that names a source says that the whole stack was mapped: what is left in it has no place in the map.
      if (origin === "source") return;
      if (origin === "bundle" && frame.line !== null && frame.column !== null) own.push(frame);
    }
    for (const frame of own) if (frames.length < MAX_MAPPED_FRAMES) frames.push(frame);
  });
  return frames;
}

function eachTrace<F>(trace: ErrorTrace<F>, visit: (one: ErrorTrace<F>) => void): void {
  visit(trace);
  if (trace.cause !== null) eachTrace(trace.cause, visit);
  for (const part of trace.errors) eachTrace(part, visit);
}

function assemble(trace: ErrorTrace, answers: Answers): Symbolicated {
  return { trace: sourceTrace(trace, answers), state: stateOf(answers) };
}

function stateOf(answers: Answers): MapState {
  let mapped = 0;
  let unmapped = 0;
  let none = 0;
  for (const found of answers.values()) {
    // Read again later: half a stack must not decide where an error belongs.
    if (found === "failed") return "failed";
    if (found === "none") none++;
    else if (found === "unmapped") unmapped++;
    else if (found !== "source") mapped++;
  }
  if (mapped + unmapped === 0) return none > 0 ? "missing" : "none";
  return unmapped + none === 0 ? "mapped" : "partly";
}

function sourceTrace({ frames, cause, errors, ...trace }: ErrorTrace, answers: Answers): SourceTrace {
  return {
    ...trace,
    frames: frames.map((frame, i) => sourceFrame(frame, frames[i + 1], answers)),
    cause: cause === null ? null : sourceTrace(cause, answers),
    errors: errors.map((error) => sourceTrace(error, answers)),
  };
}

function sourceFrame(raw: Frame, caller: Frame | undefined, answers: Answers): SourceFrame {
  const place = placeOf(answers, raw);
  if (place === undefined) {
    const { function: name, file, line, column } = raw;
    const inApp = !raw.isNative && !raw.isWasm && isOwn(file);
    return { raw, function: name, file, line, column, inApp, mapped: false };
  }
  const { file, line, column } = place;
  const known = place.function ?? calledName(raw, caller, answers) ?? withoutMinified(raw.function);
  const name = known === "" ? null : known;
  return { raw, function: name, file, line, column, inApp: !place.ignored && isOwn(file), mapped: true };
}

/**
 * Where it was called the map has its original name. An `await` further down
 * the stack is no call of it, and a frame of the runtime's in between called it
 * by no name.
 */
function calledName(frame: Frame, caller: Frame | undefined, answers: Answers): string | null {
  if (caller === undefined || caller.isAsync || frame.function === null) return null;
  return placeOf(answers, caller)?.name ?? null;
}

function placeOf(answers: Answers, frame: Frame): Place | undefined {
  const found = answers.get(frame);
  return typeof found === "object" ? found.place : undefined;
}

/** Source lines, where the map has them: a page is shown without those that cannot be read. */
async function addContext(trace: SourceTrace, answers: Answers): Promise<void> {
  const wanted: SourceFrame[] = [];
  eachTrace(trace, ({ frames }) => {
    for (const frame of frames) if (frame.mapped && wanted.length < MAX_CONTEXT_FRAMES) wanted.push(frame);
  });
  await Promise.all(
    wanted.map(async (frame) => {
      const found = answers.get(frame.raw);
      if (typeof found !== "object") return;
      const context = await found.map.context(found.place, CONTEXT_RADIUS).catch(() => undefined);
      if (context !== undefined) frame.context = context;
    }),
  );
}
