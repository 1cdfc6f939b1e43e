/** What went wrong at the bottom: wrappers around it say what was tried, with parameters that belong in no message. */
export function rootMessage(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root instanceof Error ? root.message : String(root);
}
