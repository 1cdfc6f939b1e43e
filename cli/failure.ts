/** Failures that a user can do something about: one message, an exit code. `main.ts` prints them; anything else is a bug. */

export const EXIT = {
  ok: 0,
  /** The server, the network or a map. */
  failed: 1,
  /** Arguments or configuration: nothing was tried. */
  usage: 2,
  /** `tailrace deploy`: the Worker is deployed, its maps are not uploaded. */
  deployedWithoutMaps: 3,
  /** A rollout that the guard took back. */
  takenBack: 4,
  /** A rollout that had not ended by `--for`, or when nobody wanted to watch any longer. */
  stillRunning: 5,
  /** A rollout that a person ended: aborted, or the deployment was changed under it. */
  stopped: 6,
  /** Preflight said no: nothing was started. */
  refused: 7,
} as const;

export class CliFailure extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const usageFailure = (message: string): CliFailure => new CliFailure(message, EXIT.usage);
