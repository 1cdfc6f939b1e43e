/** What must be known of wrangler's own arguments: where it runs, and where it writes. Pure. */

/** The value of the last `--name value` or `--name=value`. */
export function optionOf(args: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg.startsWith(`--${name}=`)) value = arg.slice(name.length + 3);
    else if (arg === `--${name}` && args[i + 1] !== undefined) value = args[i + 1];
  }
  return value;
}

export const isDryRun = (args: readonly string[]): boolean =>
  args.some((arg) => arg === "--dry-run" || arg === "--dry-run=true");
