/** `GET /healthz`: 200 when the pipeline is ready and moving, else 503 with what is not. */
import type { Handler } from "../context.ts";
import { health } from "../health.ts";

export const healthz: Handler = async (c) => {
  const answer = await health(Date.now(), c.env);
  return c.json(answer, answer.status === "ok" ? 200 : 503);
};
