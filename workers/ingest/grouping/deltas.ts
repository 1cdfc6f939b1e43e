/**
 * What the errors of a group commit add to issues: one IssueDelta for each
 * fingerprint and version, however many occurrences there are. `group.ts` puts
 * in what `grouper.ts` found, and sends the result with the batch.
 */

import { type Exemplar, type IssueDelta, MAX_DISTINCT_PER_DELTA } from "../../errors/delta.ts";
import type { Grouping } from "../../errors/grouping/facts.ts";
import type { InvocationFields } from "../../event/event.ts";
import { hash32 } from "../../util/hash.ts";
import { clip } from "../limits.ts";
import type { Grouped } from "./grouper.ts";
import type { Occurrence } from "./occurrences.ts";
import type { SentExemplars } from "./sent-exemplars.ts";

/** More than templates are made of (grouping/template.ts reads 4,096): regrouping comes to the same key. */
const MAX_EXEMPLAR_MESSAGE_CHARS = 4_200;
/** Deaths told one by one. A group holds fewer events; what is more is in the count. */
const MAX_VICTIMS = 2_048;
/** JSON of a delta beside its texts: names, numbers. */
const DELTA_BYTES = 700;
const NUMBER_BYTES = 12;
const MINUTE_BYTES = 20;
/** `"<32 hex digits>/<seq>",<weight>,<minute>,` */
const REPLAYABLE_BYTES = 60;
/** Values that are compared one by one: most errors of a group have fewer. */
const MAX_COMPARED = 16;
const US_PER_MS = 1_000;
const MINUTE_MS = 60_000;

/** Whom an invocation's errors hit. */
export interface Affected {
  user: string | undefined;
  /** The item brought its own id: it may come again. */
  replayable: boolean;
}

/** Different values in the order of their coming: a few are compared, many are looked up. */
class Distinct {
  readonly values: number[] = [];
  private all: Set<number> | undefined;

  /** True if it was none of them. */
  add(value: number): boolean {
    const { values } = this;
    if (values.length >= MAX_DISTINCT_PER_DELTA) return false;
    if (values.length < MAX_COMPARED) {
      if (values.includes(value)) return false;
    } else {
      this.all ??= new Set(values);
      if (this.all.has(value)) return false;
      this.all.add(value);
    }
    values.push(value);
    return true;
  }
}

/** A delta that is being added up. */
interface State {
  key: string;
  delta: IssueDelta;
  users: Distinct;
  routes: Distinct;
  colos: Distinct;
  countries: Distinct;
}

export class DeltaBuilder {
  /** Rough size of what `build` makes, as JSON. */
  bytes = 0;
  private readonly states = new Map<string, State>();
  /** The same by what `grouper.ts` remembers: no key has to be made for it. */
  private readonly known = new Map<Grouping, State>();
  private readonly sent: SentExemplars;

  constructor(sent: SentExemplars) {
    this.sent = sent;
  }

  add(fields: InvocationFields, { occurrence, grouping }: Grouped, affected: Affected, nowMs: number): void {
    const { event } = occurrence;
    const state = this.stateOf(fields, occurrence, grouping, nowMs);
    const { delta } = state;
    const time = Math.floor(event.time / US_PER_MS);
    const weight = fields.sample_weight;
    delta.count += weight;
    if (time < delta.firstSeen) delta.firstSeen = time;
    if (time > delta.lastSeen) delta.lastSeen = time;
    const minute = Math.floor(time / MINUTE_MS) * 60;
    this.countMinute(delta.minutes, minute, weight);
    this.distinct(state.users, affected.user);
    this.distinct(state.routes, fields.route);
    this.distinct(state.colos, fields.colo);
    this.distinct(state.countries, fields.country);
    if (delta.kind === "death") {
      delta.victims ??= [];
      if (delta.victims.length < 2 * MAX_VICTIMS) {
        delta.victims.push(fields.colo ?? "", time);
        this.bytes += 2 * NUMBER_BYTES;
      }
    }
    if (affected.replayable) {
      delta.replayable ??= [];
      delta.replayable.push(`${fields.invocation_id}/${event.seq}`, weight, minute);
      this.bytes += REPLAYABLE_BYTES;
    }
  }

  /** They belong to the builder, which goes on adding to them. */
  build(): IssueDelta[] {
    return Array.from(this.states.values(), ({ delta }) => delta);
  }

  /** They are durable: for a while the next ones need not bring these stacks again. */
  stored(nowMs: number): void {
    for (const { key, delta } of this.states.values()) {
      if (delta.exemplar.stack !== undefined) this.sent.add(key, nowMs);
    }
  }

  private stateOf(fields: InvocationFields, occurrence: Occurrence, grouping: Grouping, nowMs: number): State {
    const versionId = fields.version_id ?? "";
    const known = this.known.get(grouping);
    if (known !== undefined && known.delta.versionId === versionId) return known;
    const key = `${grouping.fingerprint}\n${versionId}`;
    const state = this.states.get(key) ?? this.newState(key, fields, occurrence, grouping, nowMs);
    this.known.set(grouping, state);
    return state;
  }

  private newState(
    key: string,
    fields: InvocationFields,
    occurrence: Occurrence,
    grouping: Grouping,
    nowMs: number,
  ): State {
    const exemplar = exemplarOf(fields, occurrence, !this.sent.has(key, nowMs));
    if (grouping.used !== undefined) exemplar.used = grouping.used;
    const users = new Distinct();
    const routes = new Distinct();
    const colos = new Distinct();
    const countries = new Distinct();
    const delta: IssueDelta = {
      fingerprint: grouping.fingerprint,
      group: grouping.group,
      aliases: grouping.aliases,
      algorithm: grouping.algorithm,
      kind: occurrence.kind,
      noise: occurrence.noise,
      type: grouping.type,
      title: grouping.title,
      culprit: grouping.culprit,
      awaitsMap: grouping.awaitsMap,
      script: fields.script,
      versionId: fields.version_id ?? "",
      versionTag: fields.version_tag ?? "",
      versionMessage: fields.version_message ?? "",
      count: 0,
      firstSeen: exemplar.time,
      lastSeen: exemplar.time,
      minutes: [],
      exemplar,
      distinct: { users: users.values, routes: routes.values, colos: colos.values, countries: countries.values },
    };
    const state = { key, delta, users, routes, colos, countries };
    this.states.set(key, state);
    const { message, stack } = exemplar;
    this.bytes += DELTA_BYTES + delta.title.length + delta.culprit.length + message.length + (stack?.length ?? 0);
    return state;
  }

  private distinct(values: Distinct, value: string | undefined): void {
    if (value !== undefined && values.add(hash32(value))) this.bytes += NUMBER_BYTES;
  }

  /** The errors of a group are of the same minute, or of a few. */
  private countMinute(minutes: number[], minute: number, weight: number): void {
    for (let i = minutes.length - 2; i >= 0; i -= 2) {
      if (minutes[i] !== minute) continue;
      minutes[i + 1] = (minutes[i + 1] as number) + weight;
      return;
    }
    minutes.push(minute, weight);
    this.bytes += MINUTE_BYTES;
  }
}

function exemplarOf(
  { invocation_id, route, method, status, outcome }: InvocationFields,
  { event, type, message, stack }: Occurrence,
  withStack: boolean,
): Exemplar {
  // Regrouping comes to the same keys by these: with a stack, type and message are those of the error alone.
  const said = message === "" && stack === undefined ? (event.message ?? "") : message;
  const exemplar: Exemplar = {
    invocationId: invocation_id,
    seq: event.seq,
    time: Math.floor(event.time / US_PER_MS),
    type,
    message: clip(said, MAX_EXEMPLAR_MESSAGE_CHARS),
    route,
    method,
    status,
    outcome,
  };
  if (withStack && event.stack !== undefined) exemplar.stack = event.stack;
  return exemplar;
}
