/** `tailrace sourcemaps list`. */
import type { SourceMapsAnswer } from "../../workers/api/contract.ts";
import type { ApiClient } from "../api/client.ts";
import { mapsPath, type Version } from "../maps/upload.ts";
import { count, type Output, size } from "../output.ts";

export async function listMaps(api: ApiClient, version: Version, asJson: boolean, output: Output): Promise<void> {
  const answer = await api.call<SourceMapsAnswer>("GET", mapsPath(version));
  if (asJson) {
    output.say(JSON.stringify(answer, null, 2));
    return;
  }
  if (answer.maps.length === 0) {
    output.say(`Version ${version.versionId} of ${version.script} has no source maps.`);
    return;
  }
  const widest = Math.max(...answer.maps.map((map) => map.file.length));
  for (const map of answer.maps) {
    const at = new Date(map.uploadedAt).toISOString().slice(0, 16).replace("T", " ");
    const what = `${size(map.bytes).padStart(8)}  ${count(map.sources, "source")}, ${count(map.mappings, "mapping")}`;
    output.say(`${map.file.padEnd(widest)}  ${what}  ${at} UTC by ${map.uploadedBy}`);
  }
}
