/**
 * Starting a rollout: what is live, which uploaded version is next, the plan, and
 * what preflight finds, before anything is changed. What it refuses cannot be
 * started; what it warns of has to be ticked.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { DeploymentAnswer, Preflight, StartRollout } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import { rolloutsApi } from "../../api/rollouts.ts";
import { ago, full } from "../../lib/format.ts";
import { type Draft, draftOf, readDraft } from "../../lib/rollout-draft.ts";
import { leastMinutes, minutes, share } from "../../lib/rollouts.ts";
import { versionName } from "../../lib/series.ts";
import { assignColours, rememberName } from "../../lib/versions.ts";
import { navigate } from "../../state/location.ts";
import { asFailure, useResource } from "../../state/resource.ts";
import { rolloutMoved } from "../../state/rollout-changes.ts";
import { Dialog } from "../dialog.tsx";
import { Icon } from "../icons.tsx";
import { Findings } from "../rollout/findings.tsx";
import { Field } from "../settings/form.tsx";
import { Progress, RetryNotice } from "../states.tsx";
import { Version } from "../version.tsx";
import { useWorkerNames } from "./filters.tsx";
import { PlanEditor } from "./plan-editor.tsx";
import { likelyVersion, liveShare, useStartable } from "./startable.ts";
import "../../styles/start.css";
import "../../styles/settings.css";
import "../../styles/rollout-record.css";
import "../../styles/rollout.css";

/** Enough to find the one that was just uploaded. */
const SHOWN = 6;
/** Preflight asks Cloudflare: not at each key. */
const TYPING_MS = 400;

function Live({ deployment }: { deployment: DeploymentAnswer }) {
  const { live } = deployment;
  if (live === null)
    return (
      <p class="muted">
        It is not deployed yet: the first version needs a plain deployment, then the next can go gradually.
      </p>
    );
  return (
    <p class="start-live">
      <span class="muted">Live now:</span>
      {live.versions.map((v) => (
        <span key={v.id} class="start-live-one">
          <b>{share(v.percent)}</b> <Version {...v} showMessage />
        </span>
      ))}
    </p>
  );
}

function Choose({
  deployment,
  value,
  onChange,
}: {
  deployment: DeploymentAnswer;
  value: string;
  onChange: (id: string) => void;
}) {
  const [all, setAll] = useState(false);
  const now = Date.now();
  const shown = all ? deployment.versions : deployment.versions.slice(0, SHOWN);
  return (
    <fieldset class="start-versions">
      <legend>New version</legend>
      {shown.map((v) => {
        const has = liveShare(deployment, v.id);
        return (
          <label key={v.id} class={`start-version ${has === 100 ? "off" : ""}`}>
            <input
              type="radio"
              name="version"
              value={v.id}
              checked={v.id === value}
              disabled={has === 100}
              onChange={() => onChange(v.id)}
            />
            <Version {...v} showMessage />
            <span class="grow" />
            {has !== undefined && <span class="small muted">live, {share(has)}</span>}
            <time class="small faint" title={full(v.createdAt)}>
              {ago(v.createdAt, now)}
            </time>
          </label>
        );
      })}
      {deployment.versions.length === 0 && <p class="muted">No version is uploaded.</p>}
      {!all && deployment.versions.length > SHOWN && (
        <button type="button" class="link small" onClick={() => setAll(true)}>
          Show all {deployment.versions.length}
        </button>
      )}
    </fieldset>
  );
}

function PlanPart({ draft, onChange }: { draft: Draft; onChange: (d: Draft) => void }) {
  const read = readDraft(draft);
  return (
    <details class="start-plan">
      <summary>
        <span class="field-label">Plan</span>
        <span class="muted">
          {read.ok
            ? `${read.plan.steps.map((s) => share(s.percent)).join(", ")}; ${minutes(leastMinutes(read.plan))} at least`
            : "not readable"}
        </span>
        <span class="link small">Change</span>
      </summary>
      <PlanEditor draft={draft} onChange={onChange} />
    </details>
  );
}

function Mode({ draft, onChange }: { draft: Draft; onChange: (d: Draft) => void }) {
  const option = (mode: Draft["mode"], label: string, hint: string) => (
    <label class="start-mode">
      <input type="radio" name="mode" checked={draft.mode === mode} onChange={() => onChange({ ...draft, mode })} />
      <span>
        {label} <span class="muted">{hint}</span>
      </span>
    </label>
  );
  return (
    <fieldset>
      <legend>Tailrace</legend>
      {option("act", "promotes and takes back", "by itself, by the plan")}
      {option("advise", "only advises", "it says what it would do; you change the split")}
    </fieldset>
  );
}

/** An id for a start: sent again after an answer that was lost, it is the same start. Browsers have none to give where the page came over plain HTTP. */
const useAttempt = (version: string): Pick<StartRollout, "id"> =>
  useMemo(() => ("randomUUID" in crypto ? { id: crypto.randomUUID() } : {}), [version]);

/** A request that no key was pressed for a moment ago. */
function useSettled<T>(value: T, key: string): { value: T; key: string } {
  const [settled, setSettled] = useState({ value, key });
  useEffect(() => {
    const timer = setTimeout(() => setSettled({ value, key }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return settled;
}

function Refused({ failure }: { failure: ApiFailure }) {
  const other = (failure.details as { rollout?: string } | undefined)?.rollout;
  return (
    <p class="notice" role="alert">
      <Icon name="alert" />
      <span class="grow">
        {failure.message}{" "}
        {failure.code === "rollout_running" && other !== undefined && (
          <a class="link" href={`/rollouts/${other}`}>
            The one that runs
          </a>
        )}
        {failure.code === "not_connected" && (
          <a class="link" href="/settings/cloudflare">
            Connect the account
          </a>
        )}
      </span>
    </p>
  );
}

function Form({ script, deployment }: { script: string; deployment: DeploymentAnswer }) {
  const [version, setVersion] = useState(() => likelyVersion(deployment));
  const [draft, setDraft] = useState(() => draftOf());
  /** What was ticked: findings that came later have not been read. */
  const [ticked, setTicked] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiFailure>();
  const attempt = useAttempt(version);
  const read = readDraft(draft);
  const request: StartRollout | undefined =
    read.ok && version !== "" ? { script, version, plan: read.plan } : undefined;
  const key = request === undefined ? "" : JSON.stringify(request);
  const settled = useSettled(request, key);
  const preflight = useResource(settled.key, async (signal) =>
    settled.value === undefined ? undefined : rolloutsApi.preflight(settled.value, signal),
  );
  const refusedAtStart = failure?.code === "preflight_failed" ? (failure.details as Preflight | undefined) : undefined;
  const found = preflight.fresh && settled.key === key ? (refusedAtStart ?? preflight.data) : undefined;
  const warnings = found?.findings.filter((f) => f.level === "warn") ?? [];
  const warned = JSON.stringify(warnings);
  const refuses = found?.findings.some((f) => f.level === "refuse") ?? false;
  const mayStart = found !== undefined && !refuses && (warnings.length === 0 || ticked === warned) && !busy;
  const chosen = deployment.versions.find((v) => v.id === version);

  const start = async () => {
    if (!mayStart || request === undefined) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const rollout = await rolloutsApi.start({
        ...attempt,
        ...request,
        ...(warnings.length > 0 ? { force: true } : {}),
      });
      rolloutMoved();
      navigate(`/rollouts/${rollout.id}`);
    } catch (error) {
      setFailure(asFailure(error));
    }
    setBusy(false);
  };
  return (
    <form
      class="start-form"
      onSubmit={(e) => {
        e.preventDefault();
        void start();
      }}
    >
      <Live deployment={deployment} />
      <Choose deployment={deployment} value={version} onChange={setVersion} />
      <Mode draft={draft} onChange={setDraft} />
      <PlanPart draft={draft} onChange={setDraft} />
      <section class="start-found" aria-label="Preflight" aria-live="polite">
        <h3>Before it starts</h3>
        {!read.ok ? (
          <p class="bad">{read.message}</p>
        ) : version === "" ? (
          <p class="muted">Choose a version: what is live is the newest that was uploaded.</p>
        ) : preflight.error !== undefined && preflight.fresh ? (
          preflight.error.status === 409 || preflight.error.status === 422 ? (
            <Refused failure={preflight.error} />
          ) : (
            <RetryNotice failure={preflight.error} retry={preflight.reload} />
          )
        ) : found === undefined ? (
          <p class="muted">Looking whether the old version could come back…</p>
        ) : found.findings.length === 0 ? (
          <p class="roll-mark good">
            <Icon name="check" />
            Nothing stands in the way, and the old version can come back
          </p>
        ) : (
          <Findings findings={found.findings} />
        )}
        {warnings.length > 0 && !refuses && (
          <label class="check">
            <input
              type="checkbox"
              checked={ticked === warned}
              onChange={(e) => setTicked(e.currentTarget.checked ? warned : "")}
            />
            I have read {warnings.length === 1 ? "it" : "these"}, and start all the same
          </label>
        )}
        {failure !== undefined && refusedAtStart === undefined && <Refused failure={failure} />}
      </section>
      <div class="row start-buttons">
        <button type="submit" class="btn primary" disabled={!mayStart}>
          {draft.mode === "advise"
            ? "Start to watch"
            : `Start${chosen === undefined || !read.ok ? "" : ` ${versionName(chosen)} at ${share(read.plan.steps[0]?.percent ?? 0)}`}`}
        </button>
        {refuses && <span class="small bad">It cannot start like this: see above.</span>}
      </div>
    </form>
  );
}

/** Why there is no form: not an error, nothing to try again. */
function Obstacle({ children }: { children: ComponentChildren }) {
  return (
    <p class="notice warn">
      <Icon name="alert" />
      <span class="grow">{children}</span>
    </p>
  );
}

function Loader({ script }: { script: string }) {
  const { data, error, loading, fresh, reload } = useResource(script, (signal) =>
    rolloutsApi.deployment(script, signal),
  );
  const known = fresh ? data : undefined;
  useEffect(() => {
    for (const v of known?.versions ?? []) rememberName(v.id, v.tag, v.message);
    if (known !== undefined) assignColours([...known.versions].reverse().map((v) => v.id));
  }, [known]);
  if (known === undefined)
    return (
      <>
        <Progress show={loading} />
        {error === undefined ? (
          <p class="muted">Asking Cloudflare what is live…</p>
        ) : error.code === "not_connected" ? (
          <Refused failure={error} />
        ) : error.status === 404 ? (
          <Obstacle>
            The connected Cloudflare account has no Worker of this name: it runs elsewhere, or was deleted. A rollout
            needs one that is deployed there.
          </Obstacle>
        ) : (
          <RetryNotice failure={error} retry={reload} />
        )}
      </>
    );
  if (known.rollout !== null)
    return (
      <Obstacle>
        A rollout of this Worker runs already, or its split is watched: that ends first.{" "}
        <a class="link" href={`/rollouts/${known.rollout}`}>
          Show it
        </a>
      </Obstacle>
    );
  return <Form key={script} script={script} deployment={known} />;
}

/** Which Worker: the first that can start one, unless somebody chose; of the others what is known of them. */
function PickWorker({ given }: { given: string | undefined }) {
  const { names, settled } = useWorkerNames();
  const [picked, setPicked] = useState(given);
  const { likely, obstacles, done } = useStartable(names, picked === undefined);
  const looking = !settled || (names.length > 0 && !done);
  const chosen = picked ?? likely ?? "";
  const options = chosen === "" || names.includes(chosen) ? names : [chosen, ...names];
  return (
    <>
      <Field label="Worker">
        <select class="input" value={chosen} onChange={(e) => setPicked(e.currentTarget.value)}>
          {chosen === "" && <option value="">{looking ? "Looking which can start one…" : "Choose a Worker"}</option>}
          {options.map((name) => (
            <option key={name} value={name}>
              {obstacles.has(name) ? `${name} (${obstacles.get(name)})` : name}
            </option>
          ))}
        </select>
      </Field>
      {chosen !== "" && <Loader key={chosen} script={chosen} />}
      {chosen === "" && !looking && names.length > 0 && (
        <p class="muted">None of the Workers that were seen lately can start one as it is: the list says why.</p>
      )}
      {chosen === "" && !looking && names.length === 0 && (
        <p class="muted">No Worker was seen lately: telemetry comes first, then a rollout can be judged by it.</p>
      )}
    </>
  );
}

/** @param script chosen already, on the page of a Worker */
export function StartDialog({
  script,
  fixed = false,
  onClose,
}: {
  script?: string;
  fixed?: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog title={fixed ? `Start a rollout of ${script}` : "Start a rollout"} wide onClose={onClose}>
      <div class="dialog-body start">
        {fixed && script !== undefined ? <Loader script={script} /> : <PickWorker given={script} />}
      </div>
    </Dialog>
  );
}
