/** Release 2.1.0: asks all carriers at once and takes the first offer. Some minutes none has one. */
import { log } from "../../../shared/log.ts";
import { callUpstream } from "../../../shared/upstream.ts";
import type { Shipping } from "../env.ts";
import { HOUSE_CARRIER } from "../shipping.ts";

const CARRIERS = ["postnord", "gelb", "swift"];
const OFFER_MEDIAN_MS = 18;
/** How often all of them are out at once. */
const OUTAGE_SHARE = 0.05;

class CarrierError extends Error {
  override name = "CarrierError";
}

export async function cheapestCarrier(orderId: string): Promise<Shipping> {
  const isOutage = Math.random() < OUTAGE_SHARE;
  try {
    return await Promise.any(CARRIERS.map((carrier) => offerOf(carrier, isOutage)));
  } catch (error) {
    log.error("no carrier made an offer", error, { order_id: orderId, carriers: CARRIERS.length });
    return HOUSE_CARRIER;
  }
}

async function offerOf(carrier: string, isOutage: boolean): Promise<Shipping> {
  const ms = await callUpstream(`carrier-${carrier}`, OFFER_MEDIAN_MS);
  if (isOutage) throw new CarrierError(`${carrier} answered 503 after ${ms.toFixed(1)} ms`);
  return { carrier, cents: 390 };
}
