/** A version as it is shown everywhere: its colour, tag, short id and message. */
import { colourVar, shortId } from "../lib/versions.ts";

interface Props {
  id: string | null | undefined;
  tag?: string | null;
  message?: string | null;
  showMessage?: boolean;
}

export function versionTitle({ id, tag, message }: Props): string {
  return [tag, id, message].filter(Boolean).join(" · ") || "No version";
}

export function Version(props: Props) {
  const { id, tag, message, showMessage = false } = props;
  return (
    <span class="version" title={versionTitle(props)}>
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
