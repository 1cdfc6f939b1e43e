/** A parameter of the URL that takes one of a list: a native list in the clothes of a quiet button, short when it filters nothing. */
import { query, setQuery } from "../state/location.ts";
import { Icon } from "./icons.tsx";

export interface Option {
  value: string;
  label: string;
}

interface Props {
  name: string;
  label: string;
  options: Option[];
  /** What stands there when nothing is chosen. */
  any?: string;
}

export function SelectFilter({ name, label, options, any = `${label}: any` }: Props) {
  const value = query.value[name] ?? "";
  const known = value === "" || options.some((o) => o.value === value);
  return (
    <label class={`filter ${value === "" ? "" : "on"}`}>
      <span class="sr">{label}</span>
      <select value={value} onChange={(e) => setQuery({ [name]: e.currentTarget.value })}>
        <option value="">{any}</option>
        {!known && <option value={value}>{`${label}: ${value}`}</option>}
        {options.map((o) => (
          <option key={o.value} value={o.value}>
            {value === o.value ? `${label}: ${o.label}` : o.label}
          </option>
        ))}
      </select>
      <Icon name="chevron" />
    </label>
  );
}
