/**
 * Text in pieces → trace items: NDJSON, one item a line, or one JSON array. A
 * bad one is reported in its place and harms no other. (Parsing many lines as
 * one list was measured to be slower than parsing each.) Synchronous and pure.
 */

/** One item more or less, with its problem if it is none. */
export type ReadItem = { item: unknown } | { error: string };

/** UTF-16 units of `"` `\` `,` `[` `]` `{` `}`. */
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** Lines are gathered up to here: some hundred items. */
const BLOCK_CHARS = 128 * 1024;
/** The platform cuts items at 256 KiB of content; JSON may double that. */
export const MAX_ITEM_TEXT_CHARS = 2 * 1024 * 1024;
/** An array this long is parsed in one go; a longer one is cut at its commas, which is slower but bounded. */
const WHOLE_ARRAY_CHARS = 2 * 1024 * 1024;

const TOO_LONG = `the item has more than ${MAX_ITEM_TEXT_CHARS} characters`;

export interface ItemReader {
  /** The items that the text so far completes. */
  push(text: string): ReadItem[];
  /** The last ones. */
  end(): ReadItem[];
}

/** Tells by the first character that is not a space. */
export function itemReader(): ItemReader {
  let reader: ItemReader | undefined;
  let head = "";
  return {
    push(text) {
      if (reader !== undefined) return reader.push(text);
      head = head.concat(text).replace(/^[\s\ufeff]+/, "");
      if (head === "") return [];
      reader = head.startsWith("[") ? arrayReader() : lineReader();
      return reader.push(head);
    },
    end: () => reader?.end() ?? [],
  };
}

function lineReader(): ItemReader {
  let rest = "";
  /** Inside a line that is too long already. */
  let skipping = false;
  return {
    push(text) {
      if (skipping) {
        const next = text.indexOf("\n");
        if (next < 0) return [];
        skipping = false;
        text = text.slice(next + 1);
      }
      rest += text;
      if (rest.length < BLOCK_CHARS) return [];
      const end = rest.lastIndexOf("\n");
      const block = end < 0 ? "" : rest.slice(0, end);
      rest = end < 0 ? rest : rest.slice(end + 1);
      const items = parseLines(block);
      if (rest.length > MAX_ITEM_TEXT_CHARS) {
        rest = "";
        skipping = true;
        items.push({ error: TOO_LONG });
      }
      return items;
    },
    end: () => (skipping ? [] : parseLines(rest)),
  };
}

function parseLines(block: string): ReadItem[] {
  const items: ReadItem[] = [];
  for (let start = 0; start < block.length; ) {
    const newline = block.indexOf("\n", start);
    const end = newline < 0 ? block.length : newline;
    // Most lines begin with "{": those that do are not looked at for being empty.
    if (block.charCodeAt(start) === OPEN_OBJECT || block.slice(start, end).trim() !== "")
      items.push(parse(block.slice(start, end)));
    start = end + 1;
  }
  return items;
}

function parse(text: string): ReadItem {
  if (text.length > MAX_ITEM_TEXT_CHARS && !text.startsWith("[")) return { error: TOO_LONG };
  try {
    return { item: JSON.parse(text) };
  } catch {
    return { error: "the item is not valid JSON" };
  }
}

function arrayReader(): ItemReader {
  let head: string | undefined = "";
  const splitter = new ArraySplitter();
  return {
    push(text) {
      if (head === undefined) return splitter.push(text);
      head += text;
      if (head.length <= WHOLE_ARRAY_CHARS) return [];
      const all = head;
      head = undefined;
      return splitter.push(all);
    },
    end() {
      if (head === undefined) return splitter.end();
      const whole = parse(head);
      if ("item" in whole && Array.isArray(whole.item)) return whole.item.map((item) => ({ item }));
      return [...splitter.push(head), ...splitter.end()];
    },
  };
}

/** Cuts the text of an array at its top-level commas. */
class ArraySplitter {
  private text = "";
  /** Where the element begins, and how far the text has been looked at. */
  private start = 0;
  private at = 0;
  private depth = 0;
  private inString = false;
  private closed = false;
  private skipping = false;

  push(text: string): ReadItem[] {
    const out: ReadItem[] = [];
    this.text = this.text.slice(this.start) + text;
    this.at -= this.start;
    this.start = 0;
    while (this.at < this.text.length) {
      const code = this.text.charCodeAt(this.at);
      if (this.inString) {
        if (code === BACKSLASH) this.at++;
        else if (code === QUOTE) this.inString = false;
      } else this.step(code, out);
      this.at++;
    }
    this.bound(out);
    return out;
  }

  end(): ReadItem[] {
    if (this.closed) return [];
    return [{ error: "the array is not closed: the body was cut off" }];
  }

  private step(code: number, out: ReadItem[]): void {
    if (code === QUOTE) this.inString = true;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (++this.depth === 1 && code === OPEN_LIST) this.start = this.at + 1;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      if (--this.depth === 0) this.close(out);
    } else if (code === COMMA && this.depth === 1) this.cut(out);
  }

  private close(out: ReadItem[]): void {
    this.cut(out);
    this.closed = true;
  }

  private cut(out: ReadItem[]): void {
    const element = this.text.slice(this.start, this.at);
    this.start = this.at + 1;
    if (this.closed) return;
    if (this.skipping) this.skipping = false;
    else if (element.trim() !== "") out.push(parse(element));
  }

  /** What is being read is kept no longer than an item may be. */
  private bound(out: ReadItem[]): void {
    if (this.closed) {
      this.text = "";
      this.start = 0;
      this.at = 0;
    } else if (this.text.length - this.start > MAX_ITEM_TEXT_CHARS) {
      if (!this.skipping) out.push({ error: TOO_LONG });
      this.skipping = true;
      this.start = this.text.length;
    }
  }
}
