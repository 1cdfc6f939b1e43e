/**
 * Where visitors come from: real places and Cloudflare locations, made-up
 * networks (ASNs 64496-64511 and the address blocks of RFC 5737 and RFC 3849
 * are kept for documentation).
 */
export interface Place {
  weight: number;
  country: string;
  continent: string;
  region: string;
  city: string;
  timezone: string;
  latitude: string;
  longitude: string;
  colo: string;
  asn: number;
  asOrganization: string;
  /** Typical round trip to the location, ms. */
  rtt: number;
}

const row = (
  weight: number,
  [country, continent, region, city, timezone]: [string, string, string, string, string],
  [latitude, longitude]: [string, string],
  [colo, asn, asOrganization, rtt]: [string, number, string, number],
): Place => ({
  weight,
  country,
  continent,
  region,
  city,
  timezone,
  latitude,
  longitude,
  colo,
  asn,
  asOrganization,
  rtt,
});

export const PLACES: readonly Place[] = [
  row(
    22,
    ["DE", "EU", "Land Berlin", "Berlin", "Europe/Berlin"],
    ["52.52", "13.40"],
    ["TXL", 64496, "Example Kabel", 14],
  ),
  row(10, ["DE", "EU", "Hessen", "Frankfurt", "Europe/Berlin"], ["50.11", "8.68"], ["FRA", 64497, "Beispiel Netz", 9]),
  row(
    12,
    ["GB", "EU", "England", "London", "Europe/London"],
    ["51.51", "-0.13"],
    ["LHR", 64498, "Example Broadband", 11],
  ),
  row(
    9,
    ["FR", "EU", "Île-de-France", "Paris", "Europe/Paris"],
    ["48.86", "2.35"],
    ["CDG", 64499, "Réseau Exemple", 13],
  ),
  row(
    7,
    ["NL", "EU", "North Holland", "Amsterdam", "Europe/Amsterdam"],
    ["52.37", "4.90"],
    ["AMS", 64500, "Voorbeeld Net", 8],
  ),
  row(
    14,
    ["US", "NA", "New Jersey", "Newark", "America/New_York"],
    ["40.74", "-74.17"],
    ["EWR", 64501, "Example Cable", 19],
  ),
  row(
    8,
    ["US", "NA", "California", "San Jose", "America/Los_Angeles"],
    ["37.34", "-121.89"],
    ["SJC", 64502, "Example Wireless", 31],
  ),
  row(
    4,
    ["CA", "NA", "Ontario", "Toronto", "America/Toronto"],
    ["43.65", "-79.38"],
    ["YYZ", 64503, "Example North", 24],
  ),
  row(
    5,
    ["BR", "SA", "São Paulo", "São Paulo", "America/Sao_Paulo"],
    ["-23.55", "-46.63"],
    ["GRU", 64504, "Exemplo Telecom", 62],
  ),
  row(4, ["IN", "AS", "Maharashtra", "Mumbai", "Asia/Kolkata"], ["19.08", "72.88"], ["BOM", 64505, "Example Jio", 74]),
  row(3, ["JP", "AS", "Tokyo", "Tokyo", "Asia/Tokyo"], ["35.69", "139.69"], ["NRT", 64506, "Rei Network", 22]),
  row(
    2,
    ["AU", "OC", "New South Wales", "Sydney", "Australia/Sydney"],
    ["-33.87", "151.21"],
    ["SYD", 64507, "Example Coast", 41],
  ),
];
