/** Checks what a wallet answered and makes a receipt of it. Written with one provider's answers at hand. */
import * as v from "valibot";

export interface Receipt {
  reference: string;
  network: string;
}

const Network = v.object({ name: v.string(), region: v.string() });
const Answer = v.object({
  id: v.string(),
  authorization: v.object({ code: v.string(), cents: v.number(), network: v.optional(Network) }),
});
type Authorization = v.InferOutput<typeof Answer>["authorization"];

const ReceiptSchema = v.pipe(
  v.string(),
  v.transform((text): unknown => JSON.parse(text)),
  Answer,
  v.transform(({ id, authorization }): Receipt => ({ reference: id, network: networkLabel(authorization) })),
);

export function readReceipt(text: string): Receipt {
  return v.parse(ReceiptSchema, text);
}

function networkLabel(authorization: Authorization): string {
  const network = authorization.network as v.InferOutput<typeof Network>;
  return `${network.name.toUpperCase()} ${network.region}`;
}
