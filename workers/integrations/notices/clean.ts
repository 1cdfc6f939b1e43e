/** Texts of others in messages for people: one line, no invisible tricks, and cut to the receiver's limit. Pure. */

/** Control characters, line and paragraph separators, what turns the direction of writing, halves of characters. */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

export const oneLine = (text: string): string => text.replace(UNSAFE, " ").replace(/\s+/g, " ").trim();

/** At most `limit` UTF-16 units, which is what receivers count, or more. */
export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Cut so that it fits when it is escaped: an escape is never cut in half. */
export function cutEscaped(text: string, limit: number, inWords: (text: string) => string): string {
  const whole = inWords(text);
  if (whole.length <= limit) return whole;
  let room = limit - 1;
  let kept = "";
  for (const character of text) {
    const escaped = inWords(character);
    room -= escaped.length;
    if (room < 0) break;
    kept += escaped;
  }
  return `${kept}…`;
}
