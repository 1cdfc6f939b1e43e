/**
 * What grouping is told about one occurrence, and what it answers. The Collector
 * (`ingest/`) and regrouping (`issues/`) hand it in; everything here is pure, so
 * both come to the same keys.
 */
import type { ErrorKind } from "../delta.ts";
import type { SourceTrace } from "../trace.ts";

/** One occurrence, whatever it came from. */
export interface ErrorFacts {
  script: string;
  /** From `classify`. */
  kind: ErrorKind;
  /** From `classify`; "" unless kind is `noise`. */
  noise: string;
  /** From `classify`: `TypeError`; for http `5xx`, for deaths the outcome. */
  type: string;
  /** Of the Error itself where there is one (a console call's text may say more), else the logged text; redacted or not, but always the same way. */
  message: string;
  /** Symbolicated as far as possible; null where there is no stack. */
  trace: SourceTrace | null;
  versionId: string;
  /** A source map of this version would tell more, and is missing or could not be read in time. */
  waitsForMap: boolean;
  entrypoint?: string | undefined;
  level?: string | undefined;
  method?: string | undefined;
  route?: string | undefined;
  status?: number | undefined;
  outcome?: string | undefined;
  /** Value of an attribute by its name, for the team's rules; called only if a rule asks. */
  attribute?: ((name: string) => string | number | boolean | undefined) | undefined;
}

/** Where an occurrence belongs; the fields of the same name in IssueDelta. */
export interface Grouping {
  /** `v1-…`, or `u1-…` of this very stack while it waits for its source map. */
  fingerprint: string;
  /** `v1-…`: the issue that it joins. Equal to `fingerprint` unless it waits. */
  group: string;
  /** Keys by older algorithms, newest first. */
  aliases: string[];
  algorithm: number;
  /** Of the error of a chain that counts. */
  type: string;
  /** The message's headline, cut; or the rule's title. */
  title: string;
  /** `addItem (src/cart.ts)`, or the route where there is no frame. */
  culprit: string;
  /** The version whose source map would tell more; "" when nothing is missing. */
  awaitsMap: string;
  /** Of what waits for its map: the values that rules looked at, for the exemplar. */
  used?: Record<string, string> | undefined;
}
