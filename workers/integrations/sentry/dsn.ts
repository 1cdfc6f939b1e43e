/** `https://<key>@<host>/<project>`: where a project's envelopes go, and with which key. Pure. */
export interface Dsn {
  /** Where envelopes are posted to. */
  endpoint: string;
  host: string;
  publicKey: string;
  project: string;
}

export type ReadDsn = { ok: true; dsn: Dsn } | { ok: false; problem: string };

const WRONG =
  "A DSN looks like https://<key>@<host>/<project number>: copy it from the project's settings, Client Keys.";

export function readDsn(text: string): ReadDsn {
  const url = URL.parse(text.trim());
  if (url === null) return { ok: false, problem: `This is no DSN. ${WRONG}` };
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { ok: false, problem: `A DSN begins with https://. ${WRONG}` };
  }
  if (url.username === "") return { ok: false, problem: `The key in front of the @ is missing. ${WRONG}` };
  const parts = url.pathname.split("/").filter((part) => part !== "");
  const project = parts.pop();
  if (project === undefined || !/^[\w-]{1,64}$/.test(project)) {
    return { ok: false, problem: `The number of the project at the end is missing. ${WRONG}` };
  }
  const publicKey = decoded(url.username);
  if (!/^[\w-]{1,128}$/.test(publicKey)) {
    return { ok: false, problem: `The key in front of the @ has characters that no key has. ${WRONG}` };
  }
  // Some are served below a path.
  const path = [...parts, "api", project, "envelope"].join("/");
  return { ok: true, dsn: { endpoint: `${url.origin}/${path}/`, host: url.host, publicKey, project } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
