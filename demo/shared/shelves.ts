/** Which Durable Object keeps the stock of a product: one per category. */
export const shelfOf = (sku: string) => `shelf-${sku.slice(0, 2)}`;
