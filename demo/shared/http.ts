/** Answers as JSON, the way all of the shop's HTTP routes do. */
export const json = (body: unknown, status = 200) =>
  Response.json(body, { status, headers: { "cache-control": "no-store" } });

export const problem = (status: number, code: string, message: string) => json({ error: { code, message } }, status);

/** A body that is not JSON is the caller's mistake, not an exception. */
export async function readJson(request: Request): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = await request.json();
    return typeof body === "object" && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
