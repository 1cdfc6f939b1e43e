/**
 * The source maps of the demo's versions to the platform, as a team's build
 * would send them: with the `tailrace` command, over HTTP. What is there from an
 * earlier start costs one question per map.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleCli, CLI_BUNDLE } from "../../cli/bundle.mjs";

/**
 * @param {{ url: string, token: string, versions: { script: string, id: string, file: string }[], build: boolean }} given
 * @returns {Promise<string | undefined>} what went wrong: the shop runs without maps, too
 */
export async function uploadDemoMaps({ url, token, versions, build }) {
  if (build || !existsSync(CLI_BUNDLE)) await bundleCli();
  const { main } = await import(pathToFileURL(CLI_BUNDLE).href);
  const env = { TAILRACE_URL: url, TAILRACE_TOKEN: token };
  const failed = await Promise.all(
    versions.map(async ({ script, id, file }) => {
      let said = "";
      const err = { write: (text) => (said += text) };
      const streams = { out: { write: () => {} }, err };
      const argv = ["sourcemaps", "upload", dirname(file), "--worker", script, "--version", id];
      return (await main(argv, { env, cwd: dirname(file), streams })) === 0 ? undefined : `${script}: ${said.trim()}`;
    }),
  );
  return failed.find((failure) => failure !== undefined);
}
