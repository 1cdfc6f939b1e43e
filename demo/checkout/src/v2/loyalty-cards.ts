/** Loyalty cards by user. */
export interface LoyaltyCard {
  number: string;
  tier: { name: string; share: number };
}

const TIERS = [
  { name: "basic", share: 0 },
  { name: "silver", share: 0.02 },
  { name: "gold", share: 0.05 },
];

/** The type says that everybody has one. Every fourth user does not. */
export function findLoyaltyCard(userId: string): LoyaltyCard {
  const serial = Number(/\d+$/.exec(userId)?.[0] ?? 0);
  const cards = serial % 4 === 0 ? [] : [{ number: `L${serial}`, tier: TIERS[serial % 3] }];
  return cards[0] as LoyaltyCard;
}
