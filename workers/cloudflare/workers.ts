/**
 * The account's Workers over HTTP: who there is, where their tails lead, their
 * secrets. `connection.ts` makes one of the connected account; `api/` connects
 * Workers and writes secrets with it. Settings are changed by PATCH with one field,
 * so every other one stays as it is.
 */
import * as v from "valibot";
import type { ApiResult, WorkersClient } from "./contract.ts";
import { type Account, sender } from "./request.ts";
import { secretList, tailSettings, workerList } from "./shapes.ts";

const of = (script: string, ...parts: string[]) => ["workers", "scripts", script, ...parts];

/** Nothing of it holds the token where it could be printed: it is in a closure. */
export function createWorkersClient(account: Account): WorkersClient {
  const send = sender(account);
  return {
    workers: () => send({ method: "GET", path: ["workers", "scripts"], result: workerList }),
    tailConsumers: (script) => send({ method: "GET", path: of(script, "script-settings"), result: tailSettings }),
    setTailConsumers: (script, consumers) =>
      send({
        method: "PATCH",
        path: of(script, "script-settings"),
        body: { tail_consumers: consumers },
        result: tailSettings,
      }),
    putSecret: async (script, name, text) =>
      done(
        await send({
          method: "PUT",
          path: of(script, "secrets"),
          body: { name, text, type: "secret_text" },
          result: v.unknown(),
          secret: text,
        }),
      ),
    deleteSecret: async (script, name) =>
      done(await send({ method: "DELETE", path: of(script, "secrets", name), result: v.unknown() })),
    secretNames: (script) => send({ method: "GET", path: of(script, "secrets"), result: secretList }),
  };
}

const done = (result: ApiResult<unknown>): ApiResult<void> => (result.ok ? { ...result, value: undefined } : result);
