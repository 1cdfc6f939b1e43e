/** The checkout's bindings, and what differs between its releases. */
import type { CheckoutRequest, OrderMessage } from "../../shared/contracts.ts";
import type { Stock } from "../../stock/src/stock.ts";

export interface Env {
  STOCK: DurableObjectNamespace<Stock>;
  ORDER_QUEUE: Queue<OrderMessage>;
  PAYMENT_API_KEY: string;
}

export type PaymentResult = { ok: true; reference: string } | { ok: false; message: string };

export interface Shipping {
  carrier: string;
  cents: number;
}

export interface Release {
  version: string;
  /** Cents off the subtotal. */
  discount(request: CheckoutRequest, subtotal: number): Promise<number>;
  charge(request: CheckoutRequest, cents: number, env: Env): Promise<PaymentResult>;
  /** How the parcel travels. */
  ship(orderId: string): Promise<Shipping>;
}
