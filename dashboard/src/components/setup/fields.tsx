/**
 * Fields of the catalog as a form: help, examples, what is wrong, and the rarely
 * needed ones behind "Advanced". A secret goes in and never comes out: it is
 * never filled in, and left empty it stays as it is stored.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { CatalogField } from "../../../../workers/api/contract.ts";
import { madeSecret } from "../../lib/made-secret.ts";
import { inlineOf } from "../../lib/markdown.ts";
import { Icon } from "../icons.tsx";
import { Line } from "../integrations/markdown.tsx";
import { CopyButton } from "../states.tsx";

export const fieldId = (name: string): string => `f-${name}`;

interface FrameProps {
  id: string;
  label: ComponentChildren;
  help?: string;
  problem?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** A label above, help and what is wrong below; both are read out with the control. */
export function Frame({ id, label, help, problem, aside, children }: FrameProps) {
  return (
    <div class={`field ${problem === undefined ? "" : "wrong"}`}>
      <span class="field-head">
        <label class="field-label" for={id}>
          {label}
        </label>
        {aside}
      </span>
      {children}
      <span class="field-notes" id={`${id}-notes`}>
        {problem !== undefined && (
          <span class="small bad field-problem">
            <Icon name="alert" />
            {problem}
          </span>
        )}
        {help !== undefined && help !== "" && (
          <span class="small faint">
            <Line inline={inlineOf(help)} />
          </span>
        )}
      </span>
    </div>
  );
}

/** What a control within a frame says of itself. */
export const framed = (id: string, problem: string | undefined) => ({
  id,
  "aria-describedby": `${id}-notes`,
  "aria-invalid": problem === undefined ? undefined : ("true" as const),
});

export type LoadOptions = (field: string) => Promise<{ ok: true; options: string[] } | { ok: false; message: string }>;

interface FieldProps {
  field: CatalogField;
  value: string;
  problem: string | undefined;
  isStored: boolean;
  /** It is to be taken away. */
  isRemoved?: boolean;
  onRemove?: (on: boolean) => void;
  onInput: (value: string) => void;
  load?: LoadOptions;
}

const SECRET_TYPE = { shown: { type: "text" }, hidden: { type: "password" } } as const;

function SecretInput({ field, value, problem, isStored, isRemoved = false, onRemove, onInput }: FieldProps) {
  const [shown, setShown] = useState(false);
  const id = fieldId(field.name);
  return (
    <Frame
      id={id}
      label={<Label field={field} />}
      help={field.help}
      problem={problem}
      aside={
        <span class="field-aside">
          {field.generate !== undefined && (
            <button
              type="button"
              class="link small"
              onClick={() => field.generate !== undefined && onInput(madeSecret(field.generate))}
            >
              Make a new one
            </button>
          )}
          {isStored && !field.required && value === "" && onRemove !== undefined && (
            <button type="button" class="link small" aria-controls={id} onClick={() => onRemove(!isRemoved)}>
              {isRemoved ? "Keep it" : "Remove it"}
            </button>
          )}
          {value !== "" && (
            <button type="button" class="link small" aria-controls={id} onClick={() => setShown(!shown)}>
              {shown ? "Hide" : "Show"}
            </button>
          )}
        </span>
      }
    >
      <input
        {...framed(id, problem)}
        class={`input mono ${shown ? "" : "secret"}`}
        {...SECRET_TYPE[shown ? "shown" : "hidden"]}
        autocomplete="new-password"
        spellcheck={false}
        placeholder={
          isStored
            ? isRemoved
              ? "Removed when this is saved."
              : "Stored. Leave empty to keep it."
            : (field.example ?? "")
        }
        value={value}
        onInput={(e) => onInput(e.currentTarget.value)}
      />
      {field.generate !== undefined && value !== "" && (
        <span class="made-secret">
          <CopyButton text={value} label="Copy it" />
          <span class="small warn">Give it to the receiver now: once this is saved, nobody is shown it again.</span>
        </span>
      )}
    </Frame>
  );
}

function Label({ field }: { field: CatalogField }) {
  return (
    <>
      {field.label}
      {!field.required && <span class="faint field-optional"> optional</span>}
    </>
  );
}

/** A text with proposals that the service gives, once what it takes to ask it is filled in. */
function DynamicInput({ field, value, problem, onInput, load }: FieldProps) {
  const [options, setOptions] = useState<string[]>();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const id = fieldId(field.name);
  const ask = async () => {
    if (load === undefined || busy) return;
    setBusy(true);
    setFailure(undefined);
    const answer = await load(field.name);
    setBusy(false);
    if (answer.ok) setOptions(answer.options);
    else setFailure(answer.message);
  };
  const known = options !== undefined && options.length > 0;
  return (
    <Frame id={id} label={<Label field={field} />} help={field.help} problem={problem ?? failure}>
      <span class="row dynamic">
        {known ? (
          <select {...framed(id, problem)} class="input" value={value} onChange={(e) => onInput(e.currentTarget.value)}>
            <option value="">Choose…</option>
            {value !== "" && !options.includes(value) && <option value={value}>{value}</option>}
            {options.map((o) => (
              <option key={o} value={o}>
                {o}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...framed(id, problem)}
            class="input"
            spellcheck={false}
            placeholder={field.example ?? ""}
            value={value}
            onInput={(e) => onInput(e.currentTarget.value)}
          />
        )}
        <button type="button" class="btn" disabled={busy} onClick={() => void ask()}>
          {busy ? "Asking…" : options === undefined ? "Load the list" : "Load again"}
        </button>
      </span>
      <span class="small muted" role="status">
        {options !== undefined && options.length === 0 && "The service has none yet: write a name."}
      </span>
    </Frame>
  );
}

export function FieldInput(props: FieldProps) {
  const { field, value, problem, onInput } = props;
  const id = fieldId(field.name);
  if (field.secret || field.type === "secret") return <SecretInput {...props} />;
  if (field.dynamic) return <DynamicInput {...props} />;
  if (field.type === "boolean")
    return (
      <div class="field">
        <label class="check">
          <input
            {...framed(id, problem)}
            type="checkbox"
            checked={value === "true"}
            onChange={(e) => onInput(String(e.currentTarget.checked))}
          />
          {field.label}
        </label>
        <span class="small faint" id={`${id}-notes`}>
          {problem ?? <Line inline={inlineOf(field.help)} />}
        </span>
      </div>
    );
  return (
    <Frame id={id} label={<Label field={field} />} help={field.help} problem={problem}>
      {field.type === "select" ? (
        <select {...framed(id, problem)} class="input" value={value} onChange={(e) => onInput(e.currentTarget.value)}>
          {field.default === undefined && <option value="">Choose…</option>}
          {field.options?.map((o) => (
            <option key={o.value} value={o.value}>
              {o.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...framed(id, problem)}
          class={`input ${field.type === "url" ? "mono" : ""}`}
          inputMode={field.type === "number" ? "decimal" : field.type === "url" ? "url" : undefined}
          autocomplete="off"
          spellcheck={false}
          placeholder={field.example ?? ""}
          value={value}
          onInput={(e) => onInput(e.currentTarget.value)}
        />
      )}
    </Frame>
  );
}

export interface FieldsProps {
  fields: readonly CatalogField[];
  values: Record<string, string>;
  problems: Record<string, string>;
  /** Names of secrets that are stored. */
  stored: readonly string[];
  removed?: readonly string[];
  onRemove?: (name: string, on: boolean) => void;
  onInput: (name: string, value: string) => void;
  load?: LoadOptions;
}

export function Fields({ fields, values, problems, stored, removed = [], onRemove, onInput, load }: FieldsProps) {
  const draw = (field: CatalogField) => (
    <FieldInput
      key={field.name}
      field={field}
      value={values[field.name] ?? ""}
      problem={problems[`values.${field.name}`]}
      isStored={stored.includes(field.name)}
      isRemoved={removed.includes(field.name)}
      onRemove={onRemove && ((on) => onRemove(field.name, on))}
      onInput={(value) => onInput(field.name, value)}
      load={load}
    />
  );
  const advanced = fields.filter((f) => f.advanced);
  const details = useRef<HTMLDetailsElement>(null);
  const id = useId();
  const wrongInside = advanced.some((f) => problems[`values.${f.name}`] !== undefined);
  // A field that nobody sees cannot be mended.
  useEffect(() => {
    if (wrongInside && details.current !== null) details.current.open = true;
  }, [wrongInside]);
  return (
    <>
      {fields.filter((f) => !f.advanced).map(draw)}
      {advanced.length > 0 && (
        <details ref={details} class="setup-advanced" id={id}>
          <summary>Advanced</summary>
          <div class="setup-fields">{advanced.map(draw)}</div>
        </details>
      )}
    </>
  );
}
