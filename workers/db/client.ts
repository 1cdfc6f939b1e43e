/** The drizzle client. One per request: it is only a thin wrapper of the binding. */
import { drizzle } from "drizzle-orm/d1";
import * as schema from "./schema.ts";

export { schema };
export const database = (d1: D1Database) => drizzle(d1, { schema });
export type Database = ReturnType<typeof database>;
