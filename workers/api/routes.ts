/**
 * Every route, with the scope that it asks for and the bytes that its body may
 * have: the one table that `app.ts` mounts and the access test walks. A route
 * cannot exist without a row here.
 */
import { PART_BYTES } from "../errors/maps/limits.ts";
import type { RouteScope } from "./auth/scopes.ts";
import { createTail, deleteTail, listTails, openTail } from "./cloudflare/tails.ts";
import type { Handler } from "./context.ts";
import { DESTINATION_BODY, LETTER_BODY } from "./destinations/input.ts";
import { ROLLOUT_BODY } from "./rollouts/input.ts";
import { listAudit } from "./routes/audit.ts";
import { deleteCloudflare, getCloudflare, putCloudflare } from "./routes/cloudflare.ts";
import { deleteConnection, getConnection, listConnections, putConnection } from "./routes/connections.ts";
import {
  discardDeadLetters,
  getDeadLetter,
  listDeadLetters,
  putDeadLetter,
  replayDeadLetters,
} from "./routes/dead-letters.ts";
import { deployment } from "./routes/deployment.ts";
import { previewDestination, testDestination } from "./routes/destination-tests.ts";
import {
  backfillDestination,
  deleteDestination,
  getDestination,
  getDestinations,
  pauseDestination,
  postDestination,
  putDestination,
  resumeDestination,
  retryDestination,
} from "./routes/destinations.ts";
import { fields, values } from "./routes/fields.ts";
import { healthz } from "./routes/health.ts";
import { ingest } from "./routes/ingest.ts";
import { listIntegrations } from "./routes/integrations.ts";
import { invocation } from "./routes/invocations.ts";
import {
  assignIssues,
  commentIssue,
  deleteIssueComment,
  ISSUE_BODY,
  mergeIntoIssue,
  restoreIssues,
  setIssueState,
  unmergeIssue,
} from "./routes/issue-changes.ts";
import { getIssue, issueAttributes, issueOfFingerprint, listIssues, listOccurrences } from "./routes/issues.ts";
import { ledger } from "./routes/ledger.ts";
import { live } from "./routes/live.ts";
import { listNotifications, liveNotifications } from "./routes/notifications.ts";
import { overview } from "./routes/overview.ts";
import { queryByBody, queryByUrl } from "./routes/query.ts";
import {
  deleteResource,
  getResources,
  postResource,
  putResource,
  resourceOptions,
  rotateResourceRoute,
} from "./routes/resources.ts";
import {
  abortRollout,
  getRollout,
  listRollouts,
  pauseRollout,
  preflightRollout,
  promoteRollout,
  resumeRollout,
  rolloutEvidence,
  startRollout,
} from "./routes/rollouts.ts";
import { getSecrets, rotateSecrets } from "./routes/secrets.ts";
import { logIn, logOut, whoAmI } from "./routes/session.ts";
import { getSettings, getWorkerSettings, putSettings, putWorkerSettings } from "./routes/settings.ts";
import {
  announceSourceMapBlob,
  deleteSourceMap,
  listSourceMaps,
  putSourceMap,
  putSourceMapPart,
  registerSourceMap,
} from "./routes/source-maps.ts";
import { issueStack, SYMBOLICATE_BODY, symbolicateStack } from "./routes/stacks.ts";
import { metrics, status } from "./routes/status.ts";
import { maintenance, seal } from "./routes/store.ts";
import { createToken, listTokens, revokeToken } from "./routes/tokens.ts";
import { worker } from "./routes/workers.ts";

export interface Route {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** `any`: every valid credential. `public`: none is asked for. */
  scope: RouteScope;
  handler: Handler;
  /** Bytes; undefined for routes that read no body or bound it themselves. */
  maxBody?: number;
}

/** A token, a name, a query text: a few kilobytes at most. */
const SMALL_BODY = 16 << 10;
/** Fifty sampling rules and some hundred patterns. */
const SETTINGS_BODY = 128 << 10;

const get = (path: string, scope: RouteScope, handler: Handler): Route => ({ method: "GET", path, scope, handler });
const del = (path: string, scope: RouteScope, handler: Handler): Route => ({ method: "DELETE", path, scope, handler });
const post = (path: string, scope: RouteScope, handler: Handler, maxBody = SMALL_BODY): Route => ({
  method: "POST",
  path,
  scope,
  handler,
  maxBody,
});

const put = (path: string, scope: RouteScope, handler: Handler, maxBody = SETTINGS_BODY): Route => ({
  method: "PUT",
  path,
  scope,
  handler,
  maxBody,
});

export const ROUTES: readonly Route[] = [
  get("/healthz", "public", healthz),
  // Totals only; what is told per Worker and destination asks for the scope read itself.
  get("/metrics", "public", metrics),
  get("/api/v1/status", "read", status),
  post("/api/v1/session", "public", logIn),
  get("/api/v1/session", "any", whoAmI),
  del("/api/v1/session", "any", logOut),
  get("/api/v1/query", "read", queryByUrl),
  post("/api/v1/query", "read", queryByBody),
  get("/api/v1/fields", "read", fields),
  get("/api/v1/fields/:name/values", "read", values),
  get("/api/v1/invocations/:id", "read", invocation),
  { method: "POST", path: "/api/v1/ingest/tail", scope: "ingest", handler: ingest },
  get("/api/v1/overview", "read", overview),
  get("/api/v1/workers/:script", "read", worker),
  get("/api/v1/workers/:script/deployment", "read", deployment),
  get("/api/v1/ledger", "read", ledger),
  get("/api/v1/issues", "read", listIssues),
  get("/api/v1/issues/:id", "read", getIssue),
  get("/api/v1/issues/:id/occurrences", "read", listOccurrences),
  post("/api/v1/issues/state", "deploy", setIssueState, ISSUE_BODY),
  post("/api/v1/issues/assignee", "deploy", assignIssues, ISSUE_BODY),
  post("/api/v1/issues/restore", "deploy", restoreIssues, ISSUE_BODY),
  post("/api/v1/issues/merge", "deploy", mergeIntoIssue, ISSUE_BODY),
  post("/api/v1/issues/:id/unmerge", "deploy", unmergeIssue, ISSUE_BODY),
  post("/api/v1/issues/:id/comments", "deploy", commentIssue, ISSUE_BODY),
  del("/api/v1/issues/:id/comments/:comment", "deploy", deleteIssueComment),
  get("/api/v1/issues/:id/attributes", "read", issueAttributes),
  get("/api/v1/issues/:id/stack", "read", issueStack),
  post("/api/v1/symbolicate", "read", symbolicateStack, SYMBOLICATE_BODY),
  get("/api/v1/fingerprints/:fingerprint", "read", issueOfFingerprint),
  get("/api/v1/notifications", "read", listNotifications),
  get("/api/v1/notifications/live", "read", liveNotifications),
  get("/api/v1/live", "read", live),
  get("/api/v1/rollouts", "read or deploy", listRollouts),
  post("/api/v1/rollouts", "deploy", startRollout, ROLLOUT_BODY),
  post("/api/v1/rollouts/preflight", "deploy", preflightRollout, ROLLOUT_BODY),
  get("/api/v1/rollouts/:id", "read or deploy", getRollout),
  get("/api/v1/rollouts/:id/evidence", "read or deploy", rolloutEvidence),
  post("/api/v1/rollouts/:id/promote", "deploy", promoteRollout),
  post("/api/v1/rollouts/:id/pause", "deploy", pauseRollout),
  post("/api/v1/rollouts/:id/resume", "deploy", resumeRollout),
  post("/api/v1/rollouts/:id/abort", "deploy", abortRollout),
  get("/client/v4/accounts/:account/workers/scripts/:script/tails", "read", listTails),
  post("/client/v4/accounts/:account/workers/scripts/:script/tails", "read", createTail),
  del("/client/v4/accounts/:account/workers/scripts/:script/tails/:id", "read", deleteTail),
  // The secret in its query is the credential: the hub checks it.
  get("/client/v4/tails", "public", openTail),
  get("/api/v1/settings", "read", getSettings),
  put("/api/v1/settings", "admin", putSettings),
  get("/api/v1/workers/:script/settings", "read", getWorkerSettings),
  put("/api/v1/workers/:script/settings", "admin", putWorkerSettings),
  post("/api/v1/sourcemaps/blobs", "deploy", announceSourceMapBlob),
  {
    method: "PUT",
    path: "/api/v1/sourcemaps/blobs/:hash/:part",
    scope: "deploy",
    handler: putSourceMapPart,
    maxBody: PART_BYTES,
  },
  get("/api/v1/workers/:script/versions/:version/sourcemaps", "read", listSourceMaps),
  post("/api/v1/workers/:script/versions/:version/sourcemaps", "deploy", registerSourceMap),
  // Bounds its body itself: its limit is of the unpacked map, and the answer says what to do with a larger one.
  {
    method: "PUT",
    path: "/api/v1/workers/:script/versions/:version/sourcemaps/:file",
    scope: "deploy",
    handler: putSourceMap,
  },
  del("/api/v1/workers/:script/versions/:version/sourcemaps/:file", "deploy", deleteSourceMap),
  get("/api/v1/cloudflare", "read", getCloudflare),
  put("/api/v1/cloudflare", "admin", putCloudflare, SMALL_BODY),
  del("/api/v1/cloudflare", "admin", deleteCloudflare),
  get("/api/v1/integrations", "read", listIntegrations),
  get("/api/v1/destinations", "read", getDestinations),
  post("/api/v1/destinations", "admin", postDestination, DESTINATION_BODY),
  post("/api/v1/destinations/test", "admin", testDestination, DESTINATION_BODY),
  post("/api/v1/destinations/preview", "read", previewDestination, DESTINATION_BODY),
  get("/api/v1/destinations/:id", "read", getDestination),
  put("/api/v1/destinations/:id", "admin", putDestination, DESTINATION_BODY),
  del("/api/v1/destinations/:id", "admin", deleteDestination),
  post("/api/v1/destinations/:id/pause", "admin", pauseDestination),
  post("/api/v1/destinations/:id/resume", "admin", resumeDestination),
  post("/api/v1/destinations/:id/retry", "admin", retryDestination),
  post("/api/v1/destinations/:id/backfill", "admin", backfillDestination),
  get("/api/v1/destinations/:id/dead-letters", "read", listDeadLetters),
  post("/api/v1/destinations/:id/dead-letters/replay", "admin", replayDeadLetters),
  post("/api/v1/destinations/:id/dead-letters/discard", "admin", discardDeadLetters),
  get("/api/v1/destinations/:id/dead-letters/:letter", "read", getDeadLetter),
  put("/api/v1/destinations/:id/dead-letters/:letter", "admin", putDeadLetter, LETTER_BODY),
  get("/api/v1/resources", "read", getResources),
  post("/api/v1/resources", "admin", postResource, DESTINATION_BODY),
  post("/api/v1/resources/options", "admin", resourceOptions, DESTINATION_BODY),
  put("/api/v1/resources/:id", "admin", putResource, DESTINATION_BODY),
  post("/api/v1/resources/:id/rotate", "admin", rotateResourceRoute, DESTINATION_BODY),
  del("/api/v1/resources/:id", "admin", deleteResource),
  get("/api/v1/connections", "read", listConnections),
  get("/api/v1/connections/:script", "read", getConnection),
  put("/api/v1/connections/:script", "admin", putConnection, SMALL_BODY),
  del("/api/v1/connections/:script", "admin", deleteConnection),
  get("/api/v1/secrets", "read", getSecrets),
  post("/api/v1/secrets/rotate", "admin", rotateSecrets),
  get("/api/v1/tokens", "admin", listTokens),
  post("/api/v1/tokens", "admin", createToken),
  del("/api/v1/tokens/:id", "admin", revokeToken),
  get("/api/v1/audit", "admin", listAudit),
  post("/api/v1/seal", "admin", seal),
  post("/api/v1/maintenance", "admin", maintenance),
];
