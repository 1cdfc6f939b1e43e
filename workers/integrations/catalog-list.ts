/** The integrations. Made by scripts/catalog.mjs from the files of catalog/: change those. */
import discord from "./catalog/discord.ts";
import pagerduty from "./catalog/pagerduty.ts";
import sentry from "./catalog/sentry.ts";
import slack from "./catalog/slack.ts";
import webhook from "./catalog/webhook.ts";
import type { Integration } from "./contract.ts";

// biome-ignore format: one line, however many there are
export const INTEGRATIONS: readonly Integration[] = [discord, pagerduty, sentry, slack, webhook];
