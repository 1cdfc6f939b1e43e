/**
 * What one does to issues, from the list and from an issue's page: each change
 * is sent at once, told in a toast, and can be taken back there. The server
 * answers with what the issues were, and undoing gives just that back.
 */
import type { IssueStateRequest, IssuesChanged } from "../../../workers/api/contract.ts";
import { issuesApi } from "../api/issues.ts";
import { ignoreText } from "../lib/issues.ts";
import { issueMoved } from "./issue-changes.ts";
import { asFailure } from "./resource.ts";
import { runNewestAction, toast } from "./toasts.ts";

export type StateChange = IssueStateRequest extends infer R ? (R extends unknown ? Omit<R, "ids"> : never) : never;

const many = (ids: number[]): string => (ids.length === 1 ? `#${ids[0]}` : `${ids.length} issues`);

function stateText(change: StateChange, ids: number[]): string {
  if (change.state === "unresolved") return `Unresolved ${many(ids)}`;
  if (change.state === "ignored") {
    const rule = ignoreText(change);
    return `Ignored ${many(ids)}${rule === "" ? "" : ` ${rule}`}`;
  }
  return `Resolved ${many(ids)}${change.in === "next" ? " in the next version" : ""}`;
}

function failed(error: unknown): void {
  toast({ text: asFailure(error).message, tone: "bad" });
  issueMoved();
}

/** The change that is on its way: a key that undoes it may come before its answer. */
let pending: Promise<unknown> = Promise.resolve();

export async function undoNewest(): Promise<void> {
  await pending;
  runNewestAction();
}

type Undo = () => Promise<unknown>;

/** Runs a change; `undo` makes it as it was. False when it did not go through. */
function run<T>(work: () => Promise<T>, said: string, undo?: (answer: T) => Undo | undefined): Promise<boolean> {
  const change = (async () => {
    try {
      const answer = await work();
      const back = undo?.(answer);
      const action = back && { label: "Undo", run: () => void back().then(issueMoved, failed) };
      toast({ text: said, ...(action === undefined ? {} : { action }) });
      issueMoved();
      return true;
    } catch (error) {
      failed(error);
      return false;
    }
  })();
  pending = change;
  return change;
}

function restoring({ before }: IssuesChanged): Undo | undefined {
  return before === undefined || before.length === 0 ? undefined : () => issuesApi.restore(before);
}

export const changeState = (ids: number[], change: StateChange): Promise<boolean> =>
  run(() => issuesApi.setState({ ids, ...change } as IssueStateRequest), stateText(change, ids), restoring);

export const assign = (ids: number[], assignee: string): Promise<boolean> =>
  run(
    () => issuesApi.assign(ids, assignee),
    assignee === "" ? `Nobody has ${many(ids)} now` : `Assigned ${many(ids)} to ${assignee}`,
    restoring,
  );

/** Undoing sends back all that came with the others, also what had been merged into them before. */
export const merge = (ids: number[], into: number): Promise<boolean> =>
  run(
    async () => {
      const range = { from: "-1h", to: "now" };
      const moved = await Promise.all(ids.filter((id) => id !== into).map((id) => issuesApi.issue(id, range)));
      await issuesApi.merge(ids, into);
      return [...new Set(moved.flatMap((m) => [m.issue.id, ...m.fingerprints.map((f) => f.homeIssueId)]))];
    },
    `Merged ${many(ids)} into #${into}`,
    (homes) => () => issuesApi.unmerge(into, { homes }),
  );

export const unmerge = (id: number, fingerprints: string[]): Promise<boolean> =>
  run(
    () => issuesApi.unmerge(id, { fingerprints }),
    `Took ${fingerprints.length === 1 ? "a fingerprint" : `${fingerprints.length} fingerprints`} out of #${id}`,
  );

export const deleteComment = (id: number, which: number): Promise<boolean> =>
  run(() => issuesApi.deleteComment(id, which), "Deleted the comment");

export const comment = async (id: number, text: string): Promise<boolean> => {
  try {
    await issuesApi.comment(id, text);
    issueMoved();
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
};
