/** `tailrace sourcemaps upload`, and what `tailrace deploy` does after the deployment: find, upload, sum up. */
import type { ApiClient } from "../api/client.ts";
import { checkToken } from "../api/token.ts";
import { CliFailure } from "../failure.ts";
import { findMaps } from "../maps/find.ts";
import { type UploadSummary, uploadMaps, type Version } from "../maps/upload.ts";
import { count, type Output, size } from "../output.ts";

/** What trace items call a version. Not refused: who sends items of their own may call it otherwise. */
const VERSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * @param project where the originals of copied code are, after a deployment
 * @throws CliFailure when not every map is uploaded; those that could be, are
 */
export async function uploadDirectory(
  api: ApiClient,
  version: Version,
  directory: string,
  output: Output,
  project?: string,
): Promise<void> {
  const { maps, warnings } = findMaps(directory, project);
  for (const warning of warnings) output.warn(warning);
  if (!VERSION_ID.test(version.versionId))
    output.warn(
      `${version.versionId} is no version id of Cloudflare's: errors name the UUID that wrangler prints ("Version ID"), not a tag`,
    );
  if (maps.length === 0)
    throw new CliFailure(
      `${directory} has no source maps: build with them (esbuild --sourcemap, wrangler --outdir), and give the directory that holds the bundle`,
    );
  output.note(
    `Uploading ${count(maps.length, "source map")} of ${version.script}, version ${version.versionId}, to ${api.url}`,
  );
  // Before a large map is converted for nothing.
  await checkToken(api);
  const summary = await uploadMaps(api, version, maps, output);
  if (summary.invalid.length > 0)
    throw new CliFailure(
      `${summary.invalid.length} of ${count(maps.length, "source map")} could not be uploaded: ${summary.invalid.join(", ")}`,
    );
  output.say(`${describe(summary)} for version ${version.versionId} of ${version.script}.`);
}

function describe({ uploaded }: UploadSummary): string {
  const sent = uploaded.reduce((sum, map) => sum + map.sent, 0);
  const all = count(uploaded.length, "source map");
  return sent === 0 ? `${all} in place, nothing had to be sent,` : `${all} uploaded (${size(sent)} sent)`;
}
