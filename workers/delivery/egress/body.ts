/** Reads an answer's body within a bound of bytes: a receiver may send without end, or a zip that unpacks without end. */

export interface Body {
  bytes: Uint8Array<ArrayBuffer>;
  /** There was more; it was not read. */
  cut: boolean;
}

/** Rejects when the connection does, or when the body cannot be unpacked. */
export async function readBody(response: Response, maxBytes: number): Promise<Body> {
  if (response.body === null) return { bytes: new Uint8Array(0), cut: false };
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: join(chunks, length), cut: false };
    chunks.push(value.subarray(0, maxBytes - length));
    length += value.byteLength;
    if (length <= maxBytes) continue;
    // Not awaited: a peer that never ends may not let go either.
    reader.cancel().catch(() => undefined);
    return { bytes: join(chunks, maxBytes), cut: true };
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}
