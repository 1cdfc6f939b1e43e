import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kindOfAddress, kindOfHost } from "../../../../workers/delivery/egress/address.ts";
import { guardUrl } from "../../../../workers/delivery/egress/guard.ts";

const LOOPBACK = [
  "127.0.0.1",
  "127.255.255.254",
  "127.1",
  "127.0.1",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "017700000001",
  "127.0.0.1.",
  "%31%32%37.0.0.1",
  "１２７.0.0.1",
  "localhost",
  "LOCALHOST",
  "localhost.",
  "a.localhost",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
];
const PRIVATE = [
  "0.0.0.0",
  "0",
  "10.0.0.1",
  "10.255.255.255",
  "100.64.0.1",
  "100.100.100.200",
  "100.127.255.255",
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.7",
  "203.0.113.7",
  "168.63.129.16",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::127.0.0.1]",
  "[::ffff:10.0.0.1]",
  "[::ffff:169.254.169.254]",
  "[64:ff9b::10.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::1]",
  "[100::1]",
  "[2001::1]",
  "[2001:db8::1]",
  "[2002:7f00:1::]",
  "[3fff::1]",
  "[5f00::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
  "[fec0::1]",
  "[ff02::1]",
  "metadata",
  "metadata.google.internal",
  "metadata.google.internal.",
  "printer.local",
  "router.lan",
  "localhost.localdomain",
  "intranet",
  "db.corp",
  "kubernetes.default.svc",
];
const PUBLIC = [
  "example.com",
  "example.com.",
  "localhost.example.com",
  "internal.example.com",
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "100.128.0.1",
  "172.15.0.1",
  "172.32.0.1",
  "169.253.0.1",
  "192.169.0.1",
  "198.17.0.1",
  "198.20.0.1",
  "223.255.255.255",
  "[2606:4700:4700::1111]",
  "[2a00:1450::1]",
  "[2001:4860:4860::8888]",
  "[64:ff9b::8.8.8.8]",
];

const kindOf = (host: string) => kindOfHost(new URL(`https://${host}/`).hostname);

describe("a host", () => {
  it.each(LOOPBACK)("%s is loopback", (host) => expect(kindOf(host)).toBe("loopback"));
  it.each(PRIVATE)("%s is not public", (host) => expect(kindOf(host)).toBe("private"));
  it.each(PUBLIC)("%s is public", (host) => expect(kindOf(host)).toBe("public"));

  it("in IPv6 with an IPv4 address inside is what that address is, however it is written", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.boolean(), (v4, isDotted) => {
        const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
        const inside = isDotted ? v4 : `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        expect(kindOfAddress(`::ffff:${inside}`)).toBe(kindOfAddress(v4));
      }),
    );
  });

  it("in IPv6 outside global unicast is never public, but for a public address behind NAT64", () => {
    fc.assert(
      fc.property(fc.ipV6(), (v6) => {
        const [first = "0"] = new URL(`https://[${v6}]/`).hostname.slice(1).split(":");
        const isGlobal = Number.parseInt(first || "0", 16) >>> 13 === 1;
        if (!isGlobal && first !== "64" && !v6.toLowerCase().includes("ffff"))
          expect(kindOfAddress(v6)).not.toBe("public");
      }),
    );
  });
});

describe("a URL", () => {
  const message = (url: string, allowLoopback = false) => {
    const guarded = guardUrl(url, allowLoopback);
    return guarded.ok ? "ok" : `${guarded.failure.kind}: ${guarded.failure.message}`;
  };

  it("is asked when it is https and public", () => expect(message("https://example.com:4318/v1/logs?x=1")).toBe("ok"));

  it("is asked on this machine only where that was allowed, and plain http only there", () => {
    for (const url of ["http://localhost:4318/", "http://127.0.0.1/", "https://[::1]:1/"]) {
      expect(message(url)).toContain("blocked");
      expect(message(url, true)).toBe("ok");
    }
    for (const url of [
      "http://example.com/",
      "http://10.0.0.1/",
      "https://10.0.0.1/",
      "http://169.254.169.254/",
      "ftp://127.0.0.1/",
    ])
      expect(message(url, true), url).toContain("blocked");
  });

  it("that holds credentials is refused, and they are not repeated", () => {
    const said = message("https://user:hunter2hunter2@example.com/");
    expect(said).toContain("fields");
    expect(said).not.toContain("hunter2");
  });

  it("is refused in any spelling that is none of https, and never throws", () => {
    for (const url of ["", "example.com", "javascript:alert(1)", "file:///etc/passwd", "data:,x", "//x", "https://"])
      expect(message(url), url).toContain("blocked");
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(message(text)).toMatch(/^(ok|blocked)/);
      }),
    );
    expect(message(`https://example.com/${"x".repeat(9_000)}`)).toContain("longer");
  });
});
