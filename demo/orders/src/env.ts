import type { OrderMessage } from "../../shared/contracts.ts";

export interface Env {
  ORDERS: KVNamespace;
  LIVE: { publish(order: Pick<OrderMessage, "orderId" | "country" | "total">): Promise<number> };
}
