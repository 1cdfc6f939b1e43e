/**
 * Which hosts of a URL may be reached: public ones. `guard.ts` asks, with the host
 * as `new URL` wrote it, so that 0x7f.1, 2130706433 and 127.0.0.1 are one spelling
 * already. Addresses of IPv6 are allowed by a list (global unicast), those of IPv4
 * refused by one. Pure. Names that resolve to such addresses: `names.ts`.
 *
 * IANA's special-purpose registries: RFC 6890 and its updates.
 */

export type HostKind = "public" | "loopback" | "private";

/** First address, bits of the prefix. */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  // Carrier-grade NAT; 100.100.100.200 is a cloud's metadata.
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local; 169.254.169.254 is most clouds' metadata.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  // Protocol assignments; 192.0.0.192 is a cloud's metadata.
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  // Azure's host agent: a public number that never leaves the machine's host.
  ["168.63.129.16", 32],
  // Multicast, reserved, broadcast.
  ["224.0.0.0", 3],
];

/** Within 2000::/3: Teredo and other protocol assignments, documentation, 6to4 (which holds any IPv4 address). */
const SPECIAL_V6: readonly (readonly [high: number, bits: number])[] = [
  [0x2001_0000, 23],
  [0x2001_0db8, 32],
  [0x2002_0000, 16],
  [0x3fff_0000, 20],
];

/** Names of a machine, a home, an office, a cluster, a cloud: what answers to them depends on who asks. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "lan",
  "home",
  "corp",
  "home.arpa",
  "svc",
  "onion",
];

/** @param hostname of a URL: IPv6 in brackets */
export function kindOfHost(hostname: string): HostKind {
  const host = hostname.toLowerCase().replace(/\.+$/, "");
  if (host.startsWith("[")) return kindOfV6(host.slice(1, -1));
  const v4 = readV4(host);
  if (v4 !== undefined) return kindOfV4(v4);
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  if (!host.includes(".")) return "private";
  return PRIVATE_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`)) ? "private" : "public";
}

/** Of what a look-up answered: no brackets. */
export const kindOfAddress = (address: string): HostKind =>
  address.includes(":") ? kindOfV6(address.toLowerCase()) : kindOfHost(address);

function kindOfV4(address: number): HostKind {
  if (address >>> 24 === 127) return "loopback";
  const isPrivate = PRIVATE_V4.some(([first, bits]) => isWithin(address, readV4(first) as number, bits));
  return isPrivate ? "private" : "public";
}

const isWithin = (address: number, first: number, bits: number) =>
  bits === 32 ? address === first : address >>> (32 - bits) === first >>> (32 - bits);

function readV4(host: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((all, part) => all * 256 + part, 0);
}

function kindOfV6(text: string): HostKind {
  const groups = readV6(text);
  if (groups === undefined) return "private";
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const startsWithZeros = (a | b | c | d) === 0;
  const last = g * 0x1_0000 + h;
  if (startsWithZeros && (e | f | g) === 0 && h === 1) return "loopback";
  // ::ffff:a.b.c.d: the same as a.b.c.d.
  if (startsWithZeros && e === 0 && f === 0xffff) return kindOfV4(last);
  // 64:ff9b::a.b.c.d, through a NAT64: it is not this machine that would be reached, but one beside the translator.
  if (a === 0x64 && b === 0xff9b && (c | d | e | f) === 0) return kindOfV4(last) === "public" ? "public" : "private";
  if (a >>> 13 !== 1) return "private";
  const high = a * 0x1_0000 + b;
  return SPECIAL_V6.some(([first, bits]) => isWithin(high, first, bits)) ? "private" : "public";
}

/** Eight groups; undefined where it is no address (or has a zone). */
function readV6(text: string): number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const v4 = dotted === null ? undefined : readV4(dotted[2] as string);
  if (dotted !== null && v4 === undefined) return undefined;
  const plain = v4 === undefined ? text : `${dotted?.[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  const halves = plain.split("::");
  if (halves.length > 2) return undefined;
  const [before = [], after = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const zeros = 8 - before.length - after.length;
  if (halves.length === 2 ? zeros < 1 : zeros !== 0) return undefined;
  const all = [...before, ...Array<string>(zeros).fill("0"), ...after];
  return all.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined;
}
