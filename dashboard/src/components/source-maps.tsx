/** The source maps of a version, asked for when one wants to see them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { uploadCommand } from "../../../workers/errors/maps/upload-command.ts";
import { issuesApi } from "../api/issues.ts";
import { ago, bytes, count, full } from "../lib/format.ts";
import { useResource } from "../state/resource.ts";
import { Icon } from "./icons.tsx";
import { Progress, Snippet } from "./states.tsx";
import { Version } from "./version.tsx";
import "../styles/source-maps.css";

function List({ script, version }: { script: string; version: string }) {
  const { data, error, loading, reload } = useResource(`${script} ${version}`, (signal) =>
    issuesApi.sourceMaps(script, version, signal),
  );
  const now = Date.now();
  return (
    <>
      <Progress show={loading} />
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
          <Snippet code={uploadCommand(script, version, "dist")} />
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

/** A dialog, not a popover: the table that it is opened from scrolls, and would cut one off. */
export function SourceMaps({ script, version }: { script: string; version: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);
  return (
    <>
      <button type="button" class="btn quiet small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Show
      </button>
      {open && (
        <dialog
          ref={dialog}
          class="dialog maps-dialog"
          aria-labelledby="maps-title"
          onClose={() => setOpen(false)}
          onKeyDown={(e) => e.stopPropagation()}
          onClick={(e) => {
            if (e.target === dialog.current) dialog.current?.close();
          }}
        >
          <div class="dialog-head">
            <h2 id="maps-title" class="row">
              Source maps of <Version id={version} showMessage />
            </h2>
            <button type="button" class="icon-btn" aria-label="Close" onClick={() => dialog.current?.close()}>
              <Icon name="close" />
            </button>
          </div>
          <div class="dialog-body maps">
            <List script={script} version={version} />
          </div>
        </dialog>
      )}
    </>
  );
}
