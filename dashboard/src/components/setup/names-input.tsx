/** A list of names as chips: written one after the other, each taken by Enter, a comma, or leaving the field. */
import { useState } from "preact/hooks";
import { Icon } from "../icons.tsx";
import { namesIn } from "../settings/form.tsx";

interface Props {
  id: string;
  label: string;
  names: readonly string[];
  placeholder: string;
  onChange: (names: string[]) => void;
  describedBy?: string;
  invalid?: boolean;
}

export function NamesInput({ id, label, names, placeholder, onChange, describedBy, invalid = false }: Props) {
  const [text, setText] = useState("");
  const take = () => {
    const added = namesIn(text).filter((n) => !names.includes(n));
    if (added.length > 0) onChange([...names, ...new Set(added)]);
    setText("");
  };
  const remove = (name: string) => onChange(names.filter((n) => n !== name));
  return (
    <span class={`names ${invalid ? "wrong" : ""}`}>
      {names.map((name) => (
        <span key={name} class="name-chip mono">
          {name}
          <button type="button" aria-label={`Remove ${name}`} onClick={() => remove(name)}>
            <Icon name="close" />
          </button>
        </span>
      ))}
      <input
        id={id}
        class="mono"
        aria-label={label}
        aria-describedby={describedBy}
        aria-invalid={invalid ? "true" : undefined}
        placeholder={names.length === 0 ? placeholder : ""}
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
        onBlur={take}
        onKeyDown={(e) => {
          if (e.key === "Enter" || e.key === ",") {
            if (text.trim() === "") return;
            e.preventDefault();
            take();
          } else if (e.key === "Backspace" && text === "") {
            const last = names.at(-1);
            if (last !== undefined) remove(last);
          }
        }}
      />
    </span>
  );
}
