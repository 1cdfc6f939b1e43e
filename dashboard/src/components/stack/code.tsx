/** Lines of source with their numbers and colours; the one that broke is marked. */
import { highlight, markAt, type Token } from "../../lib/highlight.ts";

interface Props {
  firstLine: number;
  lines: string[];
  /** Number of the line that is marked, and the column in it. */
  line: number | null;
  column: number | null;
}

function Piece({ token }: { token: Token }) {
  if (token.kind === "" && !token.hit) return <>{token.text}</>;
  return <i class={`${token.kind === "" ? "" : `syn-${token.kind}`} ${token.hit ? "code-at" : ""}`}>{token.text}</i>;
}

export function Code({ firstLine, lines, line, column }: Props) {
  const coloured = highlight(lines);
  return (
    <pre class="code" tabIndex={0}>
      {coloured.map((tokens, i) => {
        const n = firstLine + i;
        const hit = n === line;
        return (
          <span key={n} class={`code-line ${hit ? "hit" : ""}`} aria-current={hit ? "true" : undefined}>
            <span class="code-number" aria-hidden="true">
              {n}
            </span>
            <span class="code-text">
              {(hit && column !== null ? markAt(tokens, column) : tokens).map((t, k) => (
                <Piece key={k} token={t} />
              ))}
            </span>
          </span>
        );
      })}
    </pre>
  );
}
