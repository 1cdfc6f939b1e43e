/** A message without its variable parts. */
export function messageTemplate(text: string): string {
  return text;
}
