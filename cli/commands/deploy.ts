/**
 * `tailrace deploy`: the team's own `wrangler deploy` or `versions upload`, then
 * the maps of the version that came of it, and with `--gradual` its rollout. A
 * token that will not do is told before anything is deployed; a Tailrace that is
 * away keeps nobody from deploying, but for a rollout, which it is to guard. A
 * rollout whose maps are missing is not begun: its evidence would name no line.
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
import { type RolloutSurroundings, readPlan } from "./rollout.ts";
import { type Beginning, begin } from "./rollout-start.ts";
import { uploadDirectory } from "./upload.ts";

/** Of asking whether the token will do: a deployment does not wait for longer. */
const ASK_TIMEOUT_MS = 5_000;

export interface Surroundings extends RolloutSurroundings {
  api: ApiClient;
  env: Environment;
}

type DeployRequest = Extract<Request, { command: "deploy" }>;

/** @returns the exit code */
export async function deploy(request: DeployRequest, surroundings: Surroundings): Promise<number> {
  const { api, output, env, cwd } = surroundings;
  const { gradual } = request;
  await askBefore(api, output, gradual !== undefined);
  // What is wrong with the plan's file is told before anything is uploaded.
  const plan = gradual === undefined ? {} : readPlan(gradual.plan, cwd);
  const command = request.isVersionUpload ? ["versions", "upload"] : ["deploy"];
  const run = await runWrangler(command, request.wrangler, env, cwd);
  if (run.exitCode !== 0) {
    run.cleanUp();
    const nothing = gradual === undefined ? "no source maps were uploaded" : "no rollout was begun";
    output.error(`wrangler ${command.join(" ")} ended with ${run.exitCode}: ${nothing}`);
    return run.exitCode;
  }
  if (isDryRun(request.wrangler)) {
    run.cleanUp();
    output.note(
      `A dry run: no version, so no source maps were uploaded${gradual === undefined ? "" : " and no rollout was begun"}.`,
    );
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
    if (gradual !== undefined)
      output.note(
        `No rollout was begun: its evidence needs them. Then: ${startCommand(version)}, with the plan's options`,
      );
    return EXIT.deployedWithoutMaps;
  }
  run.cleanUp();
  if (gradual === undefined) return EXIT.ok;
  return beginRollout({ ...gradual, script: version.script, version: version.versionId, plan }, surroundings);
}

/** The version is uploaded whatever becomes of its rollout, and gets no traffic by that. */
async function beginRollout(beginning: Beginning, surroundings: Surroundings): Promise<number> {
  const { output } = surroundings;
  const { script, version: versionId, isDryRun } = beginning;
  const hint = () =>
    output.note(
      `Version ${versionId} is uploaded and gets no traffic. To start later: ${startCommand({ script, versionId })}`,
    );
  try {
    const code = await begin(beginning, surroundings);
    if (code === EXIT.refused || isDryRun) hint();
    return code;
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    output.error(error.message);
    hint();
    return error.exitCode;
  }
}

const startCommand = ({ script, versionId }: { script: string; versionId: string }) =>
  `npx tailrace rollout start ${quoted(script)} --version ${versionId}`;

async function askBefore(api: ApiClient, output: Output, isGradual: boolean): Promise<void> {
  try {
    await checkToken(api, { tries: 1, timeoutMs: ASK_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    if (isGradual || !(error instanceof Unreachable))
      throw new CliFailure(`${error.message} Nothing was deployed.`, error.exitCode);
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
