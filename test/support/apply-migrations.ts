/** Runs before each test file in workerd: an empty D1 becomes one with the tables of `migrations/`. */
import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
