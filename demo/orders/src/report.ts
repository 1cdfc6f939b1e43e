/** The night's report: what was sold, by country. */
import type { OrderMessage } from "../../shared/contracts.ts";
import { log } from "../../shared/log.ts";
import type { Env } from "./env.ts";

/** A report over more would have to page; the demo's shop is small. */
const MAX_ORDERS = 200;

export async function nightlyReport(event: ScheduledController, env: Env): Promise<void> {
  const { keys } = await env.ORDERS.list({ limit: MAX_ORDERS });
  const totals = new Map<string, { orders: number; amount: number }>();
  for (const { name } of keys) {
    const order = await env.ORDERS.get<OrderMessage>(name, "json");
    if (order === null) continue;
    const entry = totals.get(order.country) ?? { orders: 0, amount: 0 };
    totals.set(order.country, { orders: entry.orders + 1, amount: entry.amount + order.total });
  }
  for (const [country, { orders, amount }] of totals) log.info("sold", { country, orders, amount, currency: "EUR" });
  log.info("nightly report", { cron: event.cron, orders: keys.length, countries: totals.size });
}
