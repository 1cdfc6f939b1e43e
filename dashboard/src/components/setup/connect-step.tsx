/** First step of a set-up: a name, the integration's fields, a test of what is filled in. */
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import { Fields, type FieldsProps, Frame, framed } from "./fields.tsx";
import { Step } from "./step.tsx";
import { keyOf, type Testing, TestPanel } from "./test-panel.tsx";

interface Props extends Omit<FieldsProps, "fields"> {
  entry: CatalogEntry;
  name: string;
  onName: (name: string) => void;
  testing: Testing;
  /** What would be tested, and saved. */
  ready: Record<string, string>;
  onTest: () => void;
}

/** Whether what is filled in now was tested, and how that went. */
export const testedNow = ({ tested }: Testing, ready: Record<string, string>): boolean | undefined =>
  tested?.key === keyOf(ready) ? tested.answer.ok : undefined;

export function ConnectStep({ entry, name, onName, testing, ready, onTest, ...fields }: Props) {
  const { problems } = fields;
  const isWrong = Object.keys(problems).some((where) => /^(name|values)(\.|$)/.test(where));
  const state = isWrong ? "wrong" : testedNow(testing, ready) === true ? "done" : "";
  return (
    <Step n={1} title="Connect" state={state}>
      <div class="setup-fields">
        <Frame id="f-name" label="Name" help="As your team will see it here." problem={problems.name}>
          <input
            {...framed("f-name", problems.name)}
            class="input"
            maxLength={80}
            value={name}
            onInput={(e) => onName(e.currentTarget.value)}
          />
        </Frame>
        <Fields {...fields} fields={entry.fields} />
        <TestPanel name={entry.name} testing={testing} now={keyOf(ready)} onTest={onTest} />
      </div>
    </Step>
  );
}
