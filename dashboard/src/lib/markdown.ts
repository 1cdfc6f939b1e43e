/**
 * The little Markdown that integrations' documentation is written in, as data:
 * headings, paragraphs, lists, fenced code, and inside a line code, bold,
 * emphasis, and links. Anything else stays text. Never HTML, so nothing has to be cleaned. Pure.
 */

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "bold"; text: string }
  | { kind: "emphasis"; text: string }
  | { kind: "link"; text: string; href: string };
export type Block =
  | { kind: "heading"; inline: Inline[] }
  | { kind: "paragraph"; inline: Inline[] }
  | { kind: "list"; ordered: boolean; entries: Inline[][] }
  | { kind: "code"; text: string };

const INLINE =
  /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https:\/\/[^\s>]+)>/g;
/** Only to where a reader may be led: the web, and pages of this site. */
const SAFE_HREF = /^(https:\/\/|\/(?!\/))/;

export function inlineOf(text: string): Inline[] {
  const parts: Inline[] = [];
  let at = 0;
  const plain = (to: number) => {
    if (to > at) parts.push({ kind: "text", text: text.slice(at, to) });
  };
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, bold, emphasis, label, href, bare] = match;
    const target = href ?? bare;
    if (target !== undefined && !SAFE_HREF.test(target)) continue;
    plain(match.index);
    at = match.index + whole.length;
    if (code !== undefined) parts.push({ kind: "code", text: code });
    else if (bold !== undefined) parts.push({ kind: "bold", text: bold });
    else if (emphasis !== undefined) parts.push({ kind: "emphasis", text: emphasis });
    else if (target !== undefined) parts.push({ kind: "link", text: label ?? target, href: target });
  }
  plain(text.length);
  return parts;
}

const FENCE = /^\s*```/;
const HEADING = /^#{1,6}\s+(.*)$/;
const ENTRY = /^\s*(?:[-*]|(\d+)[.)])\s+(.*)$/;

export function parseMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  let words: string[] = [];
  let entries: string[] | undefined;
  let ordered = false;
  const close = () => {
    if (words.length > 0) blocks.push({ kind: "paragraph", inline: inlineOf(words.join(" ")) });
    if (entries !== undefined) blocks.push({ kind: "list", ordered, entries: entries.map(inlineOf) });
    words = [];
    entries = undefined;
  };
  const lines = source.replaceAll("\r\n", "\n").split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (FENCE.test(line)) {
      close();
      const code: string[] = [];
      for (i++; i < lines.length && !FENCE.test(lines[i] as string); i++) code.push(lines[i] as string);
      blocks.push({ kind: "code", text: code.join("\n") });
      continue;
    }
    const heading = HEADING.exec(line);
    const entry = ENTRY.exec(line);
    if (line.trim() === "") close();
    else if (heading !== null) {
      close();
      blocks.push({ kind: "heading", inline: inlineOf(heading[1] as string) });
    } else if (entry !== null) {
      if (entries === undefined || words.length > 0) {
        close();
        entries = [];
        ordered = entry[1] !== undefined;
      }
      entries.push(entry[2] as string);
    } else if (entries !== undefined) entries.push(`${entries.pop() ?? ""} ${line.trim()}`.trim());
    else words.push(line.trim());
  }
  close();
  return blocks;
}
