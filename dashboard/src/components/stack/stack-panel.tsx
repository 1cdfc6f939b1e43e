/** The stack of an issue: in the source, in the bundle or as it arrived, of one version or one occurrence. */
import { useState } from "preact/hooks";
import type { IssueAnswer, IssueKind, StackAnswer } from "../../../../workers/api/contract.ts";
import { moment } from "../../lib/format.ts";
import { versionOption } from "../../lib/issues.ts";
import { brokenAt, headline, stackText } from "../../lib/stack-frames.ts";
import { query, setQuery, withRange } from "../../state/location.ts";
import type { Resource } from "../../state/resource.ts";
import { Icon } from "../icons.tsx";
import { CopyButton, Progress, RetryNotice, Snippet } from "../states.tsx";
import { VersionDot } from "../version.tsx";
import { Trace } from "./trace.tsx";

type Form = "source" | "bundled" | "raw";
const FORMS: { id: Form; label: string; title: string }[] = [
  { id: "source", label: "Source", title: "In your own files" },
  { id: "bundled", label: "Bundled", title: "In the files that were deployed" },
  { id: "raw", label: "Raw", title: "The text as it arrived" },
];

/** The other kinds mostly have none. */
const WITH_STACK = new Set<IssueKind>(["exception", "rejection", "log"]);

const textOf = (answer: StackAnswer, form: Form): string =>
  form === "raw" ? answer.raw : stackText(answer.trace, form);

function VersionChoice({ versions, shown }: { versions: IssueAnswer["versions"]; shown: string }) {
  return (
    <label class="filter stack-version">
      <span class="sr">Stack of version</span>
      <VersionDot id={shown} />
      <select value={shown} onChange={(e) => setQuery({ version: e.currentTarget.value, at: undefined }, true)}>
        {versions.map((v) => (
          <option key={v.id} value={v.id}>
            {versionOption(v)}
          </option>
        ))}
      </select>
      <Icon name="chevron" />
    </label>
  );
}

function MissingMap({ answer }: { answer: StackAnswer }) {
  if (answer.hint === "" || answer.raw === "") return null;
  return (
    <div class="stack-hint">
      <p>
        <span class="warn">
          <Icon name="alert" />
        </span>{" "}
        {answer.hint}
      </p>
      {answer.command !== "" && <Snippet code={answer.command} />}
    </div>
  );
}

interface Props {
  answer: IssueAnswer;
  stack: Resource<StackAnswer>;
  /** Of which occurrence; undefined for the exemplar. */
  at: { invocation: string; seq: number } | undefined;
}

export function StackPanel({ answer, stack, at }: Props) {
  const [form, setForm] = useState<Form>("source");
  const { data, error, loading, fresh, reload } = stack;
  const title = headline({ type: answer.issue.type, message: answer.issue.title });
  const version = data?.version.id ?? answer.versions[0]?.id ?? "";
  const exemplar = answer.versions.find((v) => v.id === version)?.exemplar;
  const of = at ?? (exemplar && { invocation: exemplar.invocationId, seq: exemplar.seq });
  const expected = WITH_STACK.has(answer.issue.kind);
  const now = Date.now();
  return (
    <section class="stack" aria-labelledby="stack-title">
      <Progress show={loading && !fresh} />
      <div class="section-head stack-head">
        <h2 id="stack-title">Stack</h2>
        {answer.versions.length > 0 && <VersionChoice versions={answer.versions} shown={version} />}
        {of !== undefined && (
          <a
            class="link small stack-of"
            href={withRange(
              `/invocations/${encodeURIComponent(of.invocation)}${at === undefined && exemplar ? `?around=${exemplar.time}` : ""}`,
            )}
          >
            {at === undefined && exemplar ? `of ${moment(exemplar.time, now)}` : "of one invocation"}
          </a>
        )}
        {at !== undefined && (
          <button type="button" class="link small" onClick={() => setQuery({ at: undefined }, true)}>
            Show the exemplar
          </button>
        )}
        <span class="grow" />
        {(data === undefined ? expected : data.raw !== "") && (
          <span class="segmented" role="group" aria-label="Form of the stack">
            {FORMS.map((f) => (
              <button
                key={f.id}
                type="button"
                title={f.title}
                aria-pressed={f.id === form}
                onClick={() => setForm(f.id)}
              >
                {f.label}
              </button>
            ))}
          </span>
        )}
        {data !== undefined && data.raw !== "" && <CopyButton text={() => textOf(data, form)} />}
      </div>
      {error !== undefined && <RetryNotice failure={error} retry={reload} />}
      {data === undefined && error === undefined && expected && <div class="stack-wait" />}
      {data !== undefined && (
        <div class={fresh ? "" : "stale"}>
          <MissingMap answer={data} />
          {form === "source" ? (
            data.raw === "" && data.trace.frames.length === 0 && data.trace.cause === null ? (
              <p class="muted stack-none">
                {data.hint || "It came without a stack."} Its occurrences show what each invocation did.
              </p>
            ) : (
              <Trace
                key={`${version} ${query.value.at ?? ""}`}
                trace={data.trace}
                title={title}
                counts={brokenAt(data.trace, answer.issue)}
              />
            )
          ) : (
            <pre class="stack-text" tabIndex={0}>
              {textOf(data, form) || "Nothing arrived."}
            </pre>
          )}
        </div>
      )}
    </section>
  );
}
