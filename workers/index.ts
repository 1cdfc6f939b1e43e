/** The Worker. Wiring only: each handler hands over to the stage that owns the work. */
import { app } from "./api/app.ts";

export { Ingester } from "./buffer/ingester.ts";

export default {
  fetch: (request, env, ctx) => app.fetch(request, env, ctx),
} satisfies ExportedHandler<Env>;
