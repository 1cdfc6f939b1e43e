/** Secrets, which `wrangler types` cannot see: `wrangler secret put` sets them, so each may be absent. */
interface __BaseEnv_Env {
  /** The first admin's token (docs/access.md). */
  TAILRACE_ADMIN_TOKEN?: string;
  /** Base64 of 32 random bytes: encrypts credentials of others that are stored (`workers/secrets/`). */
  TAILRACE_SECRET_KEY?: string;
}
