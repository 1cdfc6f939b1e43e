/** The source maps of a version, asked for when one wants to see them. */
import { issuesApi } from "../api/issues.ts";
import { ago, bytes, count, full } from "../lib/format.ts";
import { useResource } from "../state/resource.ts";
import { Popover } from "./popover.tsx";
import { Progress, Snippet } from "./states.tsx";
import "../styles/source-maps.css";

function List({ script, version }: { script: string; version: string }) {
  const { data, error, loading, reload } = useResource(`${script} ${version}`, (signal) =>
    issuesApi.sourceMaps(script, version, signal),
  );
  const now = Date.now();
  return (
    <>
      <Progress show={loading} />
      <h2>Source maps of this version</h2>
      {error !== undefined && (
        <p class="small bad" role="alert">
          {error.message}{" "}
          <button type="button" class="link" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {data?.maps.length === 0 && (
        <>
          <p class="muted">None: its stacks show the bundle. They are mapped as soon as the maps are here.</p>
          <Snippet code={`npx tailrace sourcemaps upload dist --worker ${script} --version ${version}`} />
        </>
      )}
      <ul>
        {data?.maps.map((m) => (
          <li key={m.file} class="map-row">
            <b class="mono map-file">{m.file}</b>
            <span class="small muted">
              {bytes(m.bytes)} · {count(m.sources)} {m.sources === 1 ? "source" : "sources"} · {count(m.mappings)}{" "}
              mappings
            </span>
            <span class="small faint" title={full(m.uploadedAt)}>
              {m.uploadedBy}, {ago(m.uploadedAt, now)}
            </span>
            <code class="small faint cut" title={`SHA-256 ${m.hash}`}>
              {m.debugId === "" ? m.hash.slice(0, 16) : m.debugId}
            </code>
          </li>
        ))}
      </ul>
    </>
  );
}

export function SourceMaps({ script, version }: { script: string; version: string }) {
  return (
    <Popover label="Source maps of this version" buttonClass="btn quiet small" panelClass="maps-pop" button="Show">
      {() => <List script={script} version={version} />}
    </Popover>
  );
}
