/** Reads an answer's body within a bound: a proxy in between, or a peer gone mad, may send without end. */

/** Versions with all their bindings, a hundred of them, are some 300 KB. */
export const MAX_BODY_BYTES = 2 << 20;

/** @returns null when it is longer; what is left is not read */
export async function readText(response: Response): Promise<string | null> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}
