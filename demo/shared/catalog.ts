/** The shop's goods: made from word lists, the same in every Worker and at every start. */
export interface Supplier {
  name: string;
  /** Drop-shippers have none on file. */
  region: { code: string; leadDays: number } | null;
}

export interface Product {
  sku: string;
  name: string;
  category: string;
  /** Cents. */
  price: number;
  supplier: Supplier;
  tags: string[];
}

const MATERIALS = ["Oak", "Linen", "Steel", "Wool", "Cork", "Glass", "Walnut", "Cotton", "Brass", "Clay"];
const THINGS: Record<string, string[]> = {
  kitchen: ["Board", "Bowl", "Mug", "Knife Block", "Jar"],
  living: ["Lamp", "Shelf", "Cushion", "Vase", "Throw"],
  desk: ["Organizer", "Notebook", "Pen Tray", "Stand", "Clock"],
  garden: ["Planter", "Bench", "Lantern", "Trowel", "Basket"],
};
const SUPPLIERS: Supplier[] = [
  { name: "Nordlys", region: { code: "NO", leadDays: 4 } },
  { name: "Casa Verde", region: { code: "PT", leadDays: 6 } },
  { name: "Hoshi", region: { code: "JP", leadDays: 12 } },
  { name: "Elbe & Söhne", region: { code: "DE", leadDays: 2 } },
  { name: "Lakeside", region: { code: "CA", leadDays: 9 } },
  { name: "Direct Drop", region: null },
];
const CHEAPEST = 490;
const DEAREST = 24_900;

export const CATEGORIES = Object.keys(THINGS);

export const PRODUCTS: Product[] = CATEGORIES.flatMap((category) =>
  (THINGS[category] ?? []).flatMap((thing) => MATERIALS.map((material) => ({ category, thing, material }))),
).map(({ category, thing, material }, index) => ({
  sku: `${category.slice(0, 2).toUpperCase()}-${String(1001 + index)}`,
  name: `${material} ${thing}`,
  category,
  // A fixed scatter over the range: 7919 is prime to it.
  price: CHEAPEST + ((index * 7919) % (DEAREST - CHEAPEST)),
  // One in sixteen is drop-shipped.
  supplier: SUPPLIERS[index % 16 === 7 ? 5 : index % 5] as Supplier,
  tags: [material.toLowerCase(), thing.toLowerCase(), category],
}));

const BY_SKU = new Map(PRODUCTS.map((product) => [product.sku, product]));

export const findProduct = (sku: string) => BY_SKU.get(sku);
