/**
 * A message without its variable parts: numbers, ids, UUIDs, hex, addresses,
 * e-mails, URLs, paths, dates, durations, quoted strings, tokens and JSON become
 * `*`. `keys.ts` hands in the message of the error that counts.
 *
 * One walk from left to right, without regular expressions: time is linear in the
 * text whatever it holds, and both what is read and what is kept are bounded. All
 * variable parts become the same sign, and neighbours become one, so that `1, 2, 3`
 * and `7`, or an id in hex and one in digits, come to the same template.
 *
 * Kept, because they say what went wrong: HTTP status codes that are named as
 * such, names in quotes that a schema gave (`reading 'price'`, `argument "path"`),
 * and everything else that is a word.
 */
import {
  APOSTROPHE,
  AT_SIGN,
  BACKSLASH,
  COLON,
  COMMA,
  classOf,
  DASH,
  DIGIT,
  DOLLAR,
  DOT,
  ELLIPSIS,
  EQUALS,
  ESCAPE,
  isAlphanumeric,
  isDigit,
  isHex,
  LESS_THAN,
  LETTER,
  OPEN_BRACE,
  OPEN_BRACKET,
  OPEN_PAREN,
  OTHER,
  PERCENT,
  PLUS,
  SEMICOLON,
  SLASH,
  SPACE,
  STAR,
} from "./characters.ts";
import { engineTemplate, withoutNull, withoutValues } from "./engine-messages.ts";
import { wordTemplate } from "./identifiers.ts";
import { endOfAddress, endOfBracketed, endOfData, endOfPath, endOfQuoted, Failed } from "./spans.ts";
import { isMonth, isTellingKey, isUnit, isWeekday, isZone, keepsName, keepsStatus, opensDateWord } from "./words.ts";

/** Messages are read up to here: what comes later is a dump. */
const MAX_READ_CHARS = 4_096;
/** … and templates are cut here, after the variable parts are out, so that their length does not decide. */
const MAX_TEMPLATE_CHARS = 320;
/** Names of time zones are shorter. */
const MAX_ZONE_NAME_CHARS = 48;
/** What joins the parts of a number, a date or an id that begins with a digit. */
const NUMBER_JOINERS = ".,:-/+%~@";
/** Of a word, what others are asked about it. */
const MAX_WORD_CHARS = 24;
/** `gmt`; `september`, `wednesday`. */
const MAX_ZONE_CHARS = 3;
const MAX_DATE_WORD_CHARS = 9;
/** Between two variable parts these make a list. */
const LIST_SIGNS = " ,|;/-+&";

export function messageTemplate(text: string): string {
  return engineTemplate(text) ?? new Scanner(withoutNull(withoutValues(text))).run();
}

class Scanner {
  private readonly text: string;
  private readonly end: number;
  private readonly failed = new Failed();
  private at = 0;
  private out = "";
  /** Where the last word stands that was kept. */
  private wordFrom = 0;
  private wordTo = 0;
  /** The last thing was a number: a unit may follow. */
  private counted = false;
  /** What came out ends in a space. */
  private spaced = false;

  constructor(text: string) {
    this.text = text;
    this.end = Math.min(text.length, MAX_READ_CHARS);
  }

  run(): string {
    while (this.at < this.end && this.out.length < MAX_TEMPLATE_CHARS) {
      const code = this.text.charCodeAt(this.at);
      const kind = classOf(code);
      if (kind === SPACE) this.space();
      else if (kind === DIGIT) this.number();
      else if (kind === LETTER && !(code === DOLLAR && isDigit(this.next(1)))) this.name();
      else this.sign(code);
    }
    return this.out.length > MAX_TEMPLATE_CHARS ? this.out.slice(0, MAX_TEMPLATE_CHARS) : this.out.trimEnd();
  }

  /** That word in lower case: few signs beside it ask. */
  private get word(): string {
    return this.text.slice(this.wordFrom, Math.min(this.wordTo, this.wordFrom + MAX_WORD_CHARS)).toLowerCase();
  }

  private next(distance: number): number {
    return this.at + distance < this.end ? this.text.charCodeAt(this.at + distance) : 0;
  }

  private space(): void {
    this.at++;
    if (this.spaced || this.out === "") return;
    this.out += " ";
    this.spaced = true;
  }

  /** A variable part that ends at `to`. Neighbours become one. */
  private variable(to: number): void {
    this.at = to;
    this.counted = false;
    this.spaced = false;
    let keep = this.out.length;
    while (keep > 0 && this.out.charCodeAt(keep - 1) === DOT) keep--;
    if (this.out.length - keep < 3) keep = this.out.length;
    let back = keep;
    while (back > 0 && keep - back < 4 && LIST_SIGNS.includes(this.out[back - 1] as string)) back--;
    if (back > 0 && this.out.charCodeAt(back - 1) === STAR) this.out = this.out.slice(0, back);
    else this.out = `${keep === this.out.length ? this.out : this.out.slice(0, keep)}*`;
  }

  private literal(text: string, to: number): void {
    this.at = to;
    this.counted = false;
    this.spaced = false;
    this.out += text;
  }

  private number(): void {
    const { text, end } = this;
    const from = this.at;
    const address = endOfAddress(text, from, end);
    if (address > 0) {
      this.variable(address);
      return;
    }
    let to = from + 1;
    for (; to < end; to++) {
      const code = text.charCodeAt(to);
      if (classOf(code) === DIGIT || (classOf(code) === LETTER && code !== DOLLAR)) continue;
      const following = to + 1 < end ? text.charCodeAt(to + 1) : 0;
      if (!NUMBER_JOINERS.includes(text[to] as string)) break;
      if (code === COLON || code === COMMA ? !isDigit(following) : !isAlphanumeric(following)) break;
    }
    if (to - from === 3 && keepsStatus(text.slice(from, to), this.word, this.wordAfter(to))) {
      this.literal(text.slice(from, to), to);
      return;
    }
    this.variable(this.endOfToken(to));
    this.counted = true;
  }

  /** Base64 goes on behind `+`, `/` and `=`; a share behind `%`. */
  private endOfToken(from: number): number {
    let to = from;
    while (to < this.end) {
      const code = this.text.charCodeAt(to);
      if (code !== PLUS && code !== SLASH && code !== EQUALS && code !== PERCENT && !isAlphanumeric(code)) break;
      to++;
    }
    return to;
  }

  private wordAfter(from: number): string {
    let at = from;
    while (at < this.end && classOf(this.text.charCodeAt(at)) !== LETTER && at - from < 3) at++;
    let to = at;
    while (to < this.end && to - at < 24 && classOf(this.text.charCodeAt(to)) === LETTER) to++;
    return this.text.slice(at, to).toLowerCase();
  }

  private name(): void {
    const { text, end } = this;
    const from = this.at;
    let to = from;
    let hasDigits = false;
    let at = -1;
    for (; to < end; to++) {
      const code = text.charCodeAt(to);
      const kind = classOf(code);
      if (kind === LETTER) continue;
      if (kind === DIGIT) hasDigits = true;
      else if (!this.joins(code, to)) break;
      else if (code === AT_SIGN) at = to;
    }
    // An address of mail has a host.
    if (at > from && text.indexOf(".", at) > 0 && text.indexOf(".", at) < to) {
      this.variable(to);
      return;
    }
    if (text.charCodeAt(to) === COLON && this.afterColon(from, to)) return;
    if (this.isValue(from)) {
      this.variable(this.endOfToken(to));
      return;
    }
    this.wordFrom = from;
    this.wordTo = to;
    if (this.spaced && this.out.endsWith("* ") && this.isZoneName(from, to)) {
      this.variable(to);
      return;
    }
    if (this.counted && isUnit(this.word)) {
      this.at = to;
      this.counted = false;
      return;
    }
    if (
      !hasDigits &&
      to - from <= MAX_DATE_WORD_CHARS &&
      opensDateWord(text.charCodeAt(from)) &&
      this.isDate(from, to)
    ) {
      this.variable(to);
      return;
    }
    this.addWord(from, to, hasDigits);
  }

  /** Inside of a name: `order-17`, `users.email`, `can't`, `a+b@shop.test`. */
  private joins(code: number, at: number): boolean {
    if (code !== DASH && code !== DOT && code !== APOSTROPHE && code !== AT_SIGN && code !== PLUS) return false;
    const following = at + 1 < this.end ? this.text.charCodeAt(at + 1) : 0;
    return isAlphanumeric(following);
  }

  /** URLs (`https://…`, `data:…`), addresses (`fe80::1`, `db-1.internal:5432`), and paths of Windows. */
  private afterColon(from: number, to: number): boolean {
    const { text, end } = this;
    const one = text.charCodeAt(to + 1);
    const word = to - from <= 4 ? text.slice(from, to) : "";
    const isUrl = (one === SLASH && text.charCodeAt(to + 2) === SLASH) || word === "data" || word === "blob";
    if ((isUrl && classOf(one) !== SPACE) || (word.length === 1 && one === BACKSLASH)) {
      this.variable(endOfPath(text, to, end));
      return true;
    }
    if (isDigit(one) && text.slice(from, to).includes(".")) {
      this.variable(this.endOfToken(to + 1));
      return true;
    }
    if (word === "" || !(one === COLON || isHex(one))) return false;
    const address = endOfAddress(text, from, end);
    if (address > 0) this.variable(address);
    return address > 0;
  }

  /** `alice` in `user=alice` */
  private isValue(from: number): boolean {
    const { text } = this;
    const pair = from > 1 && text.charCodeAt(from - 1) === EQUALS && isAlphanumeric(text.charCodeAt(from - 2));
    return pair && !isTellingKey(this.word);
  }

  /** `GMT`, `UTC+0100` */
  private isZoneName(from: number, to: number): boolean {
    const shift = this.text.charCodeAt(from + MAX_ZONE_CHARS);
    const isShifted = to - from > MAX_ZONE_CHARS && (shift === PLUS || shift === DASH);
    if (to - from > MAX_ZONE_CHARS && !isShifted) return false;
    return isZone(isShifted ? this.text.slice(from, from + MAX_ZONE_CHARS).toLowerCase() : this.word);
  }

  private isDate(from: number, to: number): boolean {
    const beforeDigit = isDigit(this.digitAfter(to));
    if (!beforeDigit && !this.out.endsWith("* ") && !this.out.endsWith("*-")) {
      // `Mon Jan …`, `Monday, January …`
      const isShort = to - from === 3 || (this.text[to - 1] as string).toLowerCase() === "y";
      return isShort && isWeekday(this.word) && isMonth(this.wordAfter(to));
    }
    const { word } = this;
    return isMonth(word) || (isWeekday(word) && (beforeDigit || isMonth(this.wordAfter(to))));
  }

  private digitAfter(to: number): number {
    let at = to;
    while (at < this.end && at - to < 2 && " ,".includes(this.text[at] as string)) at++;
    return at < this.end ? this.text.charCodeAt(at) : 0;
  }

  private addWord(from: number, to: number, hasDigits: boolean): void {
    const word = this.text.slice(from, to);
    const template = wordTemplate(word, hasDigits);
    if (template === "*") {
      this.variable(this.endOfToken(to));
      return;
    }
    // `1 item`, `2 items`: of ids alike, as both are one sign
    const plural = this.out.endsWith("* ") && word.length > 3 && word.endsWith("s") && !word.endsWith("ss");
    this.literal(plural ? template.slice(0, -1) : template, template.endsWith("*") ? this.endOfToken(to) : to);
  }

  private sign(code: number): void {
    const { text, end } = this;
    const from = this.at;
    const quoted = endOfQuoted(text, from, end, this.failed);
    if (quoted > 0) {
      this.quoted(from, quoted);
      return;
    }
    if (code === OPEN_BRACE) {
      const data = endOfData(text, from, end, this.failed);
      if (data > 0) {
        this.variable(data);
        return;
      }
    }
    const zone = code === OPEN_PAREN && this.out.endsWith("* ") ? this.endOfZone() : -1;
    if (zone > 0) {
      this.variable(zone);
      return;
    }
    if (code === LESS_THAN && this.opensDocument()) {
      this.variable(end);
      return;
    }
    if (code === COLON && this.next(1) === COLON) {
      const address = endOfAddress(text, from, end);
      if (address > 0) {
        this.variable(address);
        return;
      }
    }
    if (code === OPEN_BRACKET) {
      const address = endOfBracketed(text, from, end);
      if (address > 0) {
        this.variable(address);
        return;
      }
    }
    if ((code === SLASH || code === DOT) && this.opensPath()) {
      this.variable(endOfPath(text, from, end));
      return;
    }
    if (code === ESCAPE) {
      this.escape();
      return;
    }
    // A number's own sign, and what stands behind a variable part: `…`, `%`.
    const isSign = (code === DASH || code === PLUS || code === DOLLAR) && isDigit(this.next(1)) && !this.followsWord();
    const isRest =
      (code === ELLIPSIS || code === PERCENT || (code === DOT && this.isEllipsis())) && this.out.endsWith("*");
    if (isSign || isRest) this.at++;
    else this.literal(text[from] as string, from + 1);
  }

  private quoted(from: number, to: number): void {
    const content = this.text.slice(from + 1, to - 1);
    if (keepsName(this.word, content, this.wordAfter(to))) this.literal(this.text.slice(from, to), to);
    else this.variable(to);
  }

  /** `(Central European Standard Time)` behind a date; -1 where it is none. */
  private endOfZone(): number {
    const close = this.text.slice(this.at, this.at + MAX_ZONE_NAME_CHARS).indexOf(" Time)");
    return close < 0 ? -1 : Math.min(this.at + close + 6, this.end);
  }

  /** `<!DOCTYPE`, `<html`, `<?xml`: the rest of the message is somebody's answer. */
  private opensDocument(): boolean {
    const head = this.text.slice(this.at, this.at + 6).toLowerCase();
    return head.startsWith("<!doc") || head.startsWith("<html") || head.startsWith("<?xml");
  }

  /** `/products/17`, `./src/a`, `../b` behind a space or a bracket. */
  private opensPath(): boolean {
    if (this.at > 0 && !" \t\n([{=:\"'`,".includes(this.text[this.at - 1] as string)) return false;
    const one = this.next(1);
    if (this.text.charCodeAt(this.at) === SLASH) return isAlphanumeric(one) || one === COLON || one === DOT;
    return one === SLASH || (one === DOT && this.next(2) === SLASH);
  }

  /** Three dots, or the rest of them. */
  private isEllipsis(): boolean {
    return this.next(1) === DOT || (this.at > 0 && this.text.charCodeAt(this.at - 1) === DOT);
  }

  private followsWord(): boolean {
    return this.at > 0 && classOf(this.text.charCodeAt(this.at - 1)) !== OTHER && this.text[this.at - 1] !== " ";
  }

  /** Colours of terminals: `ESC [ 31 m`. */
  private escape(): void {
    let to = this.at + 1;
    if (this.text.charCodeAt(to) === OPEN_BRACKET) {
      to++;
      while (to < this.end && (isDigit(this.text.charCodeAt(to)) || this.text.charCodeAt(to) === SEMICOLON)) to++;
    }
    this.at = Math.min(to + 1, this.end);
  }
}
