/** What became of a rollout, as words and as an exit code for CI. Pure. */
import { ENDED_STATES, type Rollout, type RolloutState } from "../../workers/api/contract.ts";
import { EXIT } from "../failure.ts";

const CODES: Record<RolloutState, number> = {
  promoted: EXIT.ok,
  starting: EXIT.stillRunning,
  running: EXIT.stillRunning,
  paused: EXIT.stillRunning,
  rolled_back: EXIT.takenBack,
  aborted: EXIT.stopped,
  stopped: EXIT.stopped,
  failed: EXIT.failed,
};

export const WORDS: Record<RolloutState, string> = {
  promoted: "promoted",
  starting: "starting",
  running: "running",
  paused: "paused",
  rolled_back: "taken back",
  aborted: "aborted",
  stopped: "stopped",
  failed: "failed",
};

export const isOver = ({ state }: Rollout): boolean => ENDED_STATES.includes(state);

export const exitCodeOf = ({ state }: Rollout): number => CODES[state];
