/** Documentation of the catalog (lib/markdown.ts), drawn. */
import { useMemo } from "preact/hooks";
import { type Block, type Inline, parseMarkdown } from "../../lib/markdown.ts";
import { CopyButton } from "../states.tsx";

function Part({ part }: { part: Inline }) {
  if (part.kind === "code") return <code>{part.text}</code>;
  if (part.kind === "bold") return <b>{part.text}</b>;
  if (part.kind === "emphasis") return <em>{part.text}</em>;
  if (part.kind === "text") return <span>{part.text}</span>;
  const away = part.href.startsWith("https:");
  return (
    <a class="link" href={part.href} {...(away ? { target: "_blank", rel: "noreferrer" } : {})}>
      {part.text}
    </a>
  );
}

export const Line = ({ inline }: { inline: Inline[] }) => (
  <>
    {inline.map((part, i) => (
      <Part key={i} part={part} />
    ))}
  </>
);

function Piece({ block }: { block: Block }) {
  if (block.kind === "code") return <CodeBlock code={block.text} />;
  if (block.kind === "list") {
    const entries = block.entries.map((inline, i) => (
      <li key={i}>
        <Line inline={inline} />
      </li>
    ));
    return block.ordered ? <ol>{entries}</ol> : <ul>{entries}</ul>;
  }
  const line = <Line inline={block.inline} />;
  return block.kind === "heading" ? <h3>{line}</h3> : <p>{line}</p>;
}

export function CodeBlock({ code }: { code: string }) {
  return (
    <div class="code-block">
      <pre>{code}</pre>
      <CopyButton text={code} />
    </div>
  );
}

export function Markdown({ source }: { source: string }) {
  const blocks = useMemo(() => parseMarkdown(source), [source]);
  return (
    <div class="markdown">
      {blocks.map((block, i) => (
        <Piece key={i} block={block} />
      ))}
    </div>
  );
}
