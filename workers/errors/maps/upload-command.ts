/**
 * The command that uploads the maps of a version, for people to paste into a
 * shell. `api/` and the dashboard show it. Names of Workers and versions come
 * with the events, so they may hold anything: nothing of them reaches the shell. Pure.
 */

export function uploadCommand(script: string, version: string, directory = "<dir>"): string {
  return `npx tailrace sourcemaps upload ${directory} --worker ${argument(script)} --version ${argument(version)}`;
}

const argument = (text: string) => (/^[\w.:@%+=,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
