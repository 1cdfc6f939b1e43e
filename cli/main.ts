/** The `tailrace` command: reads arguments, runs one command, turns failures into messages and exit codes. */
import { setTimeout as sleep } from "node:timers/promises";
import { version } from "../package.json";
import { ApiClient } from "./api/client.ts";
import { type Request, readRequest } from "./arguments.ts";
import { type ConnectSurroundings, connect, disconnect, listConnections } from "./commands/connect.ts";
import { deploy } from "./commands/deploy.ts";
import { listDestinations, testDestination } from "./commands/destinations.ts";
import { listMaps } from "./commands/list.ts";
import { type RolloutSurroundings, rollout } from "./commands/rollout.ts";
import { rotateSecrets } from "./commands/secrets.ts";
import { uploadDirectory } from "./commands/upload.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { helpOf } from "./help.ts";
import { onInterrupt } from "./interrupt.ts";
import type { Environment, Server } from "./options.ts";
import { Output, type Streams } from "./output.ts";
import { RolloutApi } from "./rollout/platform.ts";
import { realTimers } from "./tail/timers.ts";

const USER_AGENT = `tailrace/${version}`;

export interface Surroundings {
  env: Environment;
  cwd: string;
  streams: Streams;
}

/** @returns the exit code */
export async function main(argv: readonly string[], { env, cwd, streams }: Surroundings): Promise<number> {
  const output = new Output(streams);
  try {
    return await run(readRequest(argv, env), output, { env, cwd, streams });
  } catch (error) {
    if (error instanceof CliFailure) {
      output.error(error.message);
      return error.exitCode;
    }
    if (isFileError(error)) {
      output.error(`${error.path} cannot be read or written (${error.code})`);
      return EXIT.failed;
    }
    output.error(`BUG: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return EXIT.failed;
  }
}

const isFileError = (error: unknown): error is { path: string; code: string } =>
  error instanceof Error && "path" in error && "code" in error && "syscall" in error;

async function run(request: Request, output: Output, { env, cwd, streams }: Surroundings): Promise<number> {
  const rolloutsOf = (server: Server): RolloutSurroundings => {
    const rollouts = new RolloutApi(clientOf(server, output));
    return { rollouts, output, streams, timers: realTimers, onInterrupt, cwd };
  };
  switch (request.command) {
    case "help":
      output.say(helpOf(request.topic));
      return EXIT.ok;
    case "version":
      output.say(`tailrace ${version}`);
      return EXIT.ok;
    case "upload": {
      const { server, directory, worker, version: versionId } = request;
      await uploadDirectory(clientOf(server, output), { script: worker, versionId }, directory, output);
      return EXIT.ok;
    }
    case "list": {
      const { server, worker, version: versionId, json } = request;
      await listMaps(clientOf(server, output), { script: worker, versionId }, json, output);
      return EXIT.ok;
    }
    case "tail": {
      // Its WebSockets take time to load, which the other commands do not have to wait for.
      const { tailHere } = await import("./tail/here.ts");
      return tailHere(request, { api: clientOf(request.server, output), output, streams, userAgent: USER_AGENT });
    }
    case "connect":
      return connect(request, connectingOf(request.server, output));
    case "connections":
      return listConnections(request, connectingOf(request.server, output, "read"));
    case "disconnect":
      return disconnect(request, connectingOf(request.server, output));
    case "secrets rotate":
      return rotateSecrets(clientOf(request.server, output, "admin"), request.json, output);
    case "destinations list":
      return listDestinations(clientOf(request.server, output, "read"), request.json, output);
    case "destinations test":
      return testDestination(clientOf(request.server, output, "admin"), request.name, request.json, output);
    case "deploy":
      return deploy(request, { ...rolloutsOf(request.server), api: clientOf(request.server, output), env });
    default:
      return rollout(request, rolloutsOf(request.server));
  }
}

const connectingOf = (server: Server, output: Output, scope = "admin"): ConnectSurroundings => ({
  ...{ api: clientOf(server, output, scope), output, onInterrupt },
  now: Date.now,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
});

function clientOf(server: Server, output: Output, scope = "deploy"): ApiClient {
  const onRetry = (why: string, waitMs: number) =>
    output.note(`${server.url} (${why}): trying again in ${(waitMs / 1000).toFixed(1)} s`);
  return new ApiClient({ ...server, scope, userAgent: USER_AGENT, onRetry });
}
