/** A version as it is shown everywhere: its colour, tag, short id and message. */
import { colourVar, nameOf, shortId } from "../lib/versions.ts";

interface Props {
  id: string | null | undefined;
  tag?: string | null;
  message?: string | null;
  showMessage?: boolean;
}

/** All that is known of it: where the answer at hand has no message, another may have told it. */
export function versionTitle({ id, tag, message }: Props): string {
  const known = nameOf(id ?? "");
  return [tag || known?.tag, id, message || known?.message].filter(Boolean).join(" · ") || "No version";
}

export function Version({ id, showMessage = false, ...given }: Props) {
  const known = nameOf(id ?? "");
  const tag = given.tag || known?.tag;
  const message = given.message || known?.message;
  return (
    <span class="version" title={versionTitle({ id, tag, message })}>
      <VersionDot id={id} />
      {tag ? <span class="tag">{tag}</span> : null}
      <span class="id">{id ? shortId(id) : "no version"}</span>
      {showMessage && message ? <span class="msg cut">{message}</span> : null}
    </span>
  );
}

export function VersionDot({ id }: { id: string | null | undefined }) {
  return <span class="dot" style={{ "--dot": `var(${colourVar(id)})` }} />;
}
