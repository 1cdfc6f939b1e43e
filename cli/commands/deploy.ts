/**
 * `tailrace deploy`: the team's own `wrangler deploy` or `versions upload`, then
 * the maps of the version that came of it. A token that will not do is told
 * before anything is deployed; a Tailrace that is away keeps nobody from deploying.
 */
import { relative } from "node:path";
import { type ApiClient, Unreachable } from "../api/client.ts";
import { checkToken } from "../api/token.ts";
import type { Request } from "../arguments.ts";
import { CliFailure, EXIT } from "../failure.ts";
import type { Environment } from "../options.ts";
import type { Output } from "../output.ts";
import { isDryRun } from "../wrangler/arguments.ts";
import { runWrangler, type WranglerRun } from "../wrangler/run.ts";
import { uploadDirectory } from "./upload.ts";

/** Of asking whether the token will do: a deployment does not wait for longer. */
const ASK_TIMEOUT_MS = 5_000;

export interface Surroundings {
  api: ApiClient;
  output: Output;
  env: Environment;
  cwd: string;
}

type DeployRequest = Extract<Request, { command: "deploy" }>;

/** @returns the exit code */
export async function deploy(request: DeployRequest, { api, output, env, cwd }: Surroundings): Promise<number> {
  await askBefore(api, output);
  const command = request.isVersionUpload ? ["versions", "upload"] : ["deploy"];
  const run = await runWrangler(command, request.wrangler, env, cwd);
  if (run.exitCode !== 0) {
    run.cleanUp();
    output.error(`wrangler ${command.join(" ")} ended with ${run.exitCode}: no source maps were uploaded`);
    return run.exitCode;
  }
  if (isDryRun(request.wrangler)) {
    run.cleanUp();
    output.note("A dry run: no version, so no source maps were uploaded.");
    return EXIT.ok;
  }
  const version = versionOf(run, request);
  try {
    await uploadDirectory(api, version, run.outdir, output, run.project);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    output.error(error.message);
    const again = `npx tailrace sourcemaps upload ${quoted(relative(cwd, run.outdir) || ".")} --worker ${quoted(version.script)} --version ${version.versionId}`;
    const done = request.isVersionUpload ? "The version is uploaded to Cloudflare" : "The deployment succeeded";
    output.note(
      `${done}: ${version.script}, version ${version.versionId}. Only its source maps are missing in Tailrace.`,
    );
    output.note(`To upload them: ${again}`);
    return EXIT.deployedWithoutMaps;
  }
  run.cleanUp();
  return EXIT.ok;
}

async function askBefore(api: ApiClient, output: Output): Promise<void> {
  try {
    await checkToken(api, { tries: 1, timeoutMs: ASK_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    if (!(error instanceof Unreachable)) throw new CliFailure(`${error.message} Nothing was deployed.`, error.exitCode);
    output.warn(`${error.message} Deploying all the same; the source maps are tried again afterwards.`);
  }
}

function versionOf(run: WranglerRun, request: DeployRequest): { script: string; versionId: string } {
  const script = request.worker ?? run.deployed?.worker;
  const versionId = run.deployed?.versionId;
  if (versionId === undefined || script === undefined)
    throw new CliFailure(
      `wrangler succeeded, but did not say which ${versionId === undefined ? "version it made" : "Worker it deployed (give --worker)"}, so the source maps in ${run.outdir} are not uploaded. Upload them with tailrace sourcemaps upload.`,
      EXIT.deployedWithoutMaps,
    );
  return { script, versionId };
}

const quoted = (text: string) => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
