/**
 * One run of wrangler with the terminal to itself, and what it says that it did.
 * The bundle goes to a directory inside the project, so that the sources in its
 * map are named alike on every machine.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { CliFailure, EXIT } from "../failure.ts";
import type { Environment } from "../options.ts";
import { optionOf } from "./arguments.ts";
import { findWrangler } from "./find.ts";
import { type Deployed, endOf, readOutput } from "./output-file.ts";

export interface WranglerRun {
  exitCode: number;
  /** Undefined when wrangler did not say. */
  deployed: Deployed | undefined;
  /** Where the bundle and its map are. */
  outdir: string;
  /** The directory that wrangler ran in. */
  project: string;
  /** Takes away what was only for this run. */
  cleanUp(): void;
}

export async function runWrangler(
  command: readonly string[],
  args: readonly string[],
  env: Environment,
  cwd: string,
): Promise<WranglerRun> {
  const wrangler = findWrangler(cwd, env.PATH ?? "");
  const project = resolve(cwd, optionOf(args, "cwd") ?? ".");
  const given = optionOf(args, "outdir");
  const outdir = given === undefined ? ownDirectory(project) : resolve(project, given);
  const outputDirectory = mkdtempSync(join(tmpdir(), "tailrace-"));
  const output = outputPath(env, project, outputDirectory);
  const from = endOf(output);
  // Relative, because wrangler writes it into the map, where an absolute one would be of this machine.
  const all = [...command, ...args, ...(given === undefined ? ["--outdir", relative(project, outdir)] : [])];
  const cleanUp = () => {
    if (given === undefined) rmSync(outdir, { recursive: true, force: true });
  };
  try {
    const exitCode = await spawned(wrangler, all, { ...env, WRANGLER_OUTPUT_FILE_PATH: output }, cwd);
    return { exitCode, deployed: readOutput(output, from), outdir, project, cleanUp };
  } catch (error) {
    cleanUp();
    throw error;
  } finally {
    rmSync(outputDirectory, { recursive: true, force: true });
  }
}

/** Beside wrangler's own temporary files, which every project's .gitignore has. */
function ownDirectory(project: string): string {
  const parent = join(project, ".wrangler/tailrace");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "deploy-"));
}

/** A file or directory that the user wants written is written; we read the same. */
function outputPath(env: Environment, project: string, own: string): string {
  if (env.WRANGLER_OUTPUT_FILE_PATH) return resolve(project, env.WRANGLER_OUTPUT_FILE_PATH);
  if (env.WRANGLER_OUTPUT_FILE_DIRECTORY)
    return join(
      resolve(project, env.WRANGLER_OUTPUT_FILE_DIRECTORY),
      `wrangler-output-${Date.now()}-${process.pid}.json`,
    );
  return join(own, "output.ndjson");
}

async function spawned(program: string, args: string[], env: Environment, cwd: string): Promise<number> {
  const child = spawn(program, args, {
    cwd,
    env: { ...env },
    stdio: "inherit",
    // npm's .cmd files on Windows are not programs.
    shell: process.platform === "win32",
  });
  const release = passOnSignals(child);
  try {
    return await new Promise<number>((done, fail) => {
      child.once("error", (error) => fail(new CliFailure(`${program} cannot be run: ${error.message}`, EXIT.usage)));
      child.once("exit", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : 143)));
    });
  } finally {
    release();
  }
}

/** Ctrl-C reaches wrangler by the terminal; we only must not go before it does. */
function passOnSignals(child: ChildProcess): () => void {
  const wait = () => {};
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", wait);
  process.on("SIGTERM", pass);
  return () => {
    process.off("SIGINT", wait);
    process.off("SIGTERM", pass);
  };
}
