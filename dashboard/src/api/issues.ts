/** The part of the API that issues, notifications and source maps use; as `client.ts`, typed by the contract. */
import type {
  AttributesAnswer,
  IssueActivity,
  IssueAnswer,
  IssueBefore,
  IssueStateRequest,
  IssuesAnswer,
  IssuesChanged,
  IssueUnmergeRequest,
  NotificationsAnswer,
  OccurrencesAnswer,
  SourceMapsAnswer,
  StackAnswer,
} from "../../../workers/api/contract.ts";
import { get, part, type Range, request } from "./client.ts";

/** Filters of the list as the API takes them; what is undefined does not filter. */
export interface IssueParams {
  state?: string;
  kind?: string;
  script?: string;
  version?: string;
  new_in?: string;
  /** null: nobody's. */
  assignee?: string | null;
  q?: string;
  sort?: string;
}

/** Which stack of an issue: of an occurrence, else of the exemplar of a version, else of the newest exemplar. */
export interface StackParams {
  version?: string;
  invocation?: string;
  seq?: number;
}

const post = <T>(path: string, body: unknown) => request<T>("POST", `/api/v1/${path}`, body);

export const issuesApi = {
  list: (params: IssueParams, range: Range, limit: number, cursor?: string, signal?: AbortSignal) =>
    get<IssuesAnswer>("issues", { ...params, from: range.from, to: range.to, limit, cursor }, signal),
  issue: (id: number, range: Range, signal?: AbortSignal) =>
    get<IssueAnswer>(`issues/${id}`, { from: range.from, to: range.to }, signal),
  stack: (id: number, params: StackParams, signal?: AbortSignal) =>
    get<StackAnswer>(`issues/${id}/stack`, { ...params }, signal),
  occurrences: (
    id: number,
    range: Range,
    page: { version: string | undefined; before?: string; limit: number },
    signal?: AbortSignal,
  ) => get<OccurrencesAnswer>(`issues/${id}/occurrences`, { ...page, from: range.from, to: range.to }, signal),
  attributes: (id: number, range: Range, signal?: AbortSignal) =>
    get<AttributesAnswer>(`issues/${id}/attributes`, { from: range.from, to: range.to }, signal),

  setState: (body: IssueStateRequest) => post<IssuesChanged>("issues/state", body),
  assign: (ids: number[], assignee: string) => post<IssuesChanged>("issues/assignee", { ids, assignee }),
  restore: (issues: IssueBefore[]) => post<IssuesChanged>("issues/restore", { issues }),
  comment: (id: number, text: string) => post<IssueActivity>(`issues/${id}/comments`, { text }),
  deleteComment: (id: number, comment: number) => request<void>("DELETE", `/api/v1/issues/${id}/comments/${comment}`),
  merge: (ids: number[], into: number) => post<IssuesChanged>("issues/merge", { ids, into }),
  unmerge: (id: number, request: IssueUnmergeRequest) => post<IssuesChanged>(`issues/${id}/unmerge`, request),

  symbolicate: (script: string, version: string, stack: string) =>
    post<StackAnswer>("symbolicate", { script, version, stack }),
  notifications: (limit: number, after?: number, signal?: AbortSignal) =>
    get<NotificationsAnswer>("notifications", { limit, after }, signal),
  sourceMaps: (script: string, version: string, signal?: AbortSignal) =>
    get<SourceMapsAnswer>(`workers/${part(script)}/versions/${part(version)}/sourcemaps`, {}, signal),
};
