/** Versions that the stream has brought, so that they differ in colour from the first event on, those of one Worker above all. */
import { assignColours, coloursOf, rememberName } from "../versions.ts";

/** Beyond it the colours repeat many times over. */
const MAX_VERSIONS = 40;
const MAX_SCRIPTS = 500;

export interface Versioned {
  script: string;
  versionId: string;
  tag: string;
  message: string;
}

export class KnownVersions {
  private readonly byScript = new Map<string, Set<string>>();

  /** Hand them in order of first seen. */
  learn({ script, versionId, tag, message }: Versioned): void {
    if (versionId === "") return;
    let versions = this.byScript.get(script);
    if (versions?.has(versionId)) return;
    if (versions === undefined) {
      if (this.byScript.size >= MAX_SCRIPTS) this.byScript.clear();
      versions = new Set();
      this.byScript.set(script, versions);
    }
    if (versions.size >= MAX_VERSIONS) versions.clear();
    versions.add(versionId);
    rememberName(versionId, tag, message);
    assignColours([...versions], coloursOf(this.others(script)));
  }

  private *others(script: string): Iterable<string> {
    for (const [other, versions] of this.byScript) if (other !== script) yield* versions;
  }
}
