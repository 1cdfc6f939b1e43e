/** What the server found wrong in fingerprint rules, by line. Pure. */
export interface LineProblem {
  /** From 1; 0 when the server did not say. */
  line: number;
  message: string;
}

/** From the `details` of a failure; anything that is not a list of problems gives none. */
export function lineProblems(details: unknown): LineProblem[] {
  const list = (details as { problems?: unknown } | null | undefined)?.problems;
  if (!Array.isArray(list)) return [];
  return list.flatMap((p: unknown) => {
    const { line, message } = (p ?? {}) as { line?: unknown; message?: unknown };
    if (typeof message !== "string") return [];
    return [{ line: typeof line === "number" ? line : 0, message }];
  });
}
