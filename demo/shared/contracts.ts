/** What the shop's Workers call each other with. */
export interface CartLine {
  sku: string;
  quantity: number;
  /** Cents. */
  unitPrice: number;
}

export interface CheckoutRequest {
  sessionId: string;
  userId: string;
  country: string;
  lines: CartLine[];
  coupon?: string;
  payment: { method: "card" | "invoice" | "wallet"; card?: string; email: string };
}

export interface Quote {
  /** Cents. */
  subtotal: number;
  discount: number;
  shipping: number;
  tax: number;
  total: number;
  currency: string;
}

export type PlaceOrderResult =
  | { ok: true; orderId: string; quote: Quote }
  | { ok: false; reason: "out_of_stock" | "declined" | "invalid"; message: string };

/** shop-checkout, over RPC. */
export interface CheckoutService {
  quote(request: CheckoutRequest): Promise<Quote>;
  placeOrder(request: CheckoutRequest): Promise<PlaceOrderResult>;
}

export interface StockLevel {
  sku: string;
  available: number;
  reserved: number;
}

export type ReserveResult = { ok: true; reservation: string } | { ok: false; sku: string; available: number };

/** The queue shop-orders. */
export interface OrderMessage {
  orderId: string;
  userId: string;
  country: string;
  lines: CartLine[];
  total: number;
  currency: string;
  placedAt: number;
}
