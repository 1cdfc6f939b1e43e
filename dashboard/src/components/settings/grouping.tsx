/** How errors become issues: the team's own fingerprint rules, and what tells users apart. */
import { useRef, useState } from "preact/hooks";
import type { PlatformSettings } from "../../../../workers/api/contract.ts";
import { api } from "../../api/client.ts";
import { type LineProblem, lineProblems } from "../../lib/rule-problems.ts";
import { Field, namesIn, SaveRow, useSaving } from "./form.tsx";
import { PlatformForm } from "./platform.tsx";

const EXAMPLE = `# everything that the payment provider declines is one issue per type
type:PaymentError message:"*declined*" -> declined, {{ type }}
# time-outs: one per route, else as usual
message:"*timed out*" -> {{ default }}, {{ route }}`;

const HELP: [string, string][] = [
  [
    'type:… message:"…"',
    "what must match: type, message, function, file, script, kind, route, level, method, status, outcome, entrypoint, attributes.<name>; * stands for anything, ! negates",
  ],
  ["->", "then the fingerprint is made of the parts that follow, separated by commas"],
  ["{{ default }}", "what would have counted without the rule"],
  ["{{ type }} {{ route }}", "a value of the error"],
  ['title:"…"', "names the issue"],
];

const splitLines = (text: string) => text.replace(/\n+$/, "").split("\n");

/** A text area with line numbers that scroll with it; lines with a mistake are marked. */
function RulesEditor({
  text,
  problems,
  onInput,
}: {
  text: string;
  problems: LineProblem[];
  onInput: (text: string) => void;
}) {
  const numbers = useRef<HTMLDivElement>(null);
  const bad = new Set(problems.map((p) => p.line));
  return (
    <div class="rules-editor">
      <div class="rules-numbers mono" ref={numbers} aria-hidden="true">
        {text.split("\n").map((_, i) => (
          <div key={i} class={bad.has(i + 1) ? "bad" : ""}>
            {i + 1}
          </div>
        ))}
      </div>
      <textarea
        class="mono"
        rows={Math.min(24, Math.max(8, text.split("\n").length + 1))}
        wrap="off"
        spellcheck={false}
        autocapitalize="off"
        aria-label="Fingerprint rules, one per line"
        aria-invalid={problems.length > 0}
        aria-describedby="rule-problems"
        placeholder={EXAMPLE}
        value={text}
        onInput={(e) => onInput(e.currentTarget.value)}
        onScroll={(e) => numbers.current?.scrollTo({ top: e.currentTarget.scrollTop })}
      />
    </div>
  );
}

function Editor({ initial }: { initial: PlatformSettings }) {
  const [text, setText] = useState((initial.grouping?.fingerprintRules ?? []).join("\n"));
  const [users, setUsers] = useState((initial.grouping?.userAttributes ?? []).join("\n"));
  const saving = useSaving();
  const problems = lineProblems(saving.failure?.details);
  const submit = (event: Event) => {
    event.preventDefault();
    const fingerprintRules = text.trim() === "" ? [] : splitLines(text);
    void saving.save(() =>
      api.saveSettings({ ...initial, grouping: { fingerprintRules, userAttributes: namesIn(users) } }),
    );
  };
  return (
    <form class="form" onSubmit={submit} onInput={saving.touch}>
      <p class="muted">
        Errors are grouped by their kind, type, message without its variable parts, and the functions and files of your
        own code. A rule groups otherwise. The first rule that matches decides, and only for errors from now on: what is
        grouped stays.
      </p>
      <div class="field rules-field">
        <span class="field-label">Fingerprint rules</span>
        <RulesEditor text={text} problems={problems} onInput={setText} />
        <ul id="rule-problems" class="rule-problems" role="alert">
          {problems.map((p) => (
            <li key={`${p.line} ${p.message}`} class="bad small">
              {p.line > 0 && <b>Line {p.line}: </b>}
              {p.message}
            </li>
          ))}
        </ul>
        <dl class="rules-help small">
          {HELP.map(([code, what]) => (
            <div key={code}>
              <dt>
                <code>{code}</code>
              </dt>
              <dd class="muted">{what}</dd>
            </div>
          ))}
        </dl>
        <span class="small faint">
          Lines that begin with # are notes. The whole of it: <code>docs/issues.md</code>
        </span>
      </div>
      <Field
        label="What tells users and tenants apart"
        hint="Names of attributes, one per line, besides those that Tailrace knows (user.id, enduser.id …)."
      >
        <textarea
          class="input mono"
          rows={4}
          placeholder={"account.id\ntenant"}
          value={users}
          onInput={(e) => setUsers(e.currentTarget.value)}
        />
      </Field>
      {/* What is wrong with a rule stands at the rules. */}
      <SaveRow saving={problems.length === 0 ? saving : { ...saving, failure: undefined }} />
    </form>
  );
}

export const Grouping = () => <PlatformForm editor={Editor} />;
