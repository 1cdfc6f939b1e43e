/** Our entry among a Worker's tail consumers. Everything else in the list is somebody else's and stays as it is. Pure. */
import type { TailConsumer } from "../../cloudflare/contract.ts";

/** `production` is what an entry without an environment means. Another environment of the same name is another Worker. */
const isOurs = ({ service, environment, namespace }: TailConsumer, self: string): boolean =>
  service === self && (environment ?? "production") === "production" && !namespace;

export const hasOurs = (all: readonly TailConsumer[], self: string): boolean => all.some((one) => isOurs(one, self));

export const withOurs = (all: readonly TailConsumer[], self: string): TailConsumer[] =>
  hasOurs(all, self) ? [...all] : [...all, { service: self }];

export const withoutOurs = (all: readonly TailConsumer[], self: string): TailConsumer[] =>
  all.filter((one) => !isOurs(one, self));

/** What people call them. */
export const othersOf = (all: readonly TailConsumer[], self: string): string[] =>
  withoutOurs(all, self).map(({ service, environment }) => (environment ? `${service} (${environment})` : service));

/** Others than those of before: somebody else wrote in between. */
export function sameOthers(before: readonly TailConsumer[], after: readonly TailConsumer[], self: string): boolean {
  const [was, is] = [before, after].map((all) => othersOf(all, self).sort()) as [string[], string[]];
  return was.length === is.length && was.every((name, i) => name === is[i]);
}

/** For the Worker's wrangler.toml. The list there is the whole list: others have to be in it, too. */
export function tomlOf(all: readonly TailConsumer[], self: string): string {
  // A basic string of TOML takes what a string of JSON does.
  const entries = withOurs(all, self).map(({ service, environment }) =>
    environment
      ? `{ service = ${JSON.stringify(service)}, environment = ${JSON.stringify(environment)} }`
      : `{ service = ${JSON.stringify(service)} }`,
  );
  return `tail_consumers = [${entries.join(", ")}]`;
}
