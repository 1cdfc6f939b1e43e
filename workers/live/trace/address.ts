/** One spelling of an IP address, so that two of the same are equal texts. Pure; what is no address stays as it is. */

const MAPPED_IPV4 = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/;
const GROUPS = 8;

export function normalAddress(address: string): string {
  const text = address.trim().toLowerCase();
  if (!text.includes(":")) return text;
  const mapped = MAPPED_IPV4.exec(text);
  if (mapped !== null) return mapped[1] as string;
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return text;
  const left = head.split(":").filter(Boolean);
  const right = (tail ?? "").split(":").filter(Boolean);
  const missing = GROUPS - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return text;
  const groups = [...left, ...Array<string>(tail === undefined ? 0 : missing).fill("0"), ...right];
  return groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
