/**
 * Who is calling, as the edge would know it. The traffic generator says it in
 * `x-demo-client`; a browser is a visitor at the default place.
 */
export interface Client {
  ip: string;
  ray: string;
  cf: IncomingRequestCfProperties & { country: string };
  /** Local workerd does not notice that a client hangs up; the generator says when it will. */
  leavesAfterMs?: number;
}

/** The part that the generator sends. */
export interface ClientHint {
  ip: string;
  country: string;
  continent: string;
  city: string;
  region: string;
  timezone: string;
  latitude: string;
  longitude: string;
  colo: string;
  asn: number;
  asOrganization: string;
  httpProtocol: string;
  tlsVersion: string;
  rtt: number;
  leavesAfterMs?: number;
}

const VISITOR: ClientHint = {
  // RFC 5737: an address for documentation.
  ip: "192.0.2.1",
  country: "DE",
  continent: "EU",
  city: "Berlin",
  region: "Land Berlin",
  timezone: "Europe/Berlin",
  latitude: "52.52",
  longitude: "13.40",
  colo: "TXL",
  asn: 64496,
  asOrganization: "Example Net",
  httpProtocol: "HTTP/2",
  tlsVersion: "TLSv1.3",
  rtt: 18,
};

export function readClient(request: Request): Client {
  const { ip, rtt, leavesAfterMs, ...place } = readHint(request.headers.get("x-demo-client"));
  const cf = {
    ...place,
    clientTcpRtt: rtt,
    clientAcceptEncoding: request.headers.get("accept-encoding") ?? "",
    tlsCipher: "AEAD-AES128-GCM-SHA256",
    requestPriority: "weight=192;exclusive=0;group=3;group-weight=127",
    edgeRequestKeepAliveStatus: 1,
  };
  return { ip, ray: `${randomHex(8)}-${place.colo}`, cf: cf as unknown as Client["cf"], leavesAfterMs };
}

function readHint(header: string | null): ClientHint {
  if (header === null) return VISITOR;
  try {
    return { ...VISITOR, ...(JSON.parse(header) as Partial<ClientHint>) };
  } catch {
    return VISITOR;
  }
}

function randomHex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
