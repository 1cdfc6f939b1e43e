/** The integrations. Made by scripts/catalog.mjs from the files of catalog/: change those. */
import axiom from "./catalog/axiom.ts";
import datadog from "./catalog/datadog.ts";
import discord from "./catalog/discord.ts";
import grafanaCloud from "./catalog/grafana-cloud.ts";
import honeycomb from "./catalog/honeycomb.ts";
import logFilesHttp from "./catalog/log-files-http.ts";
import logFilesR2 from "./catalog/log-files-r2.ts";
import momento from "./catalog/momento.ts";
import newRelic from "./catalog/new-relic.ts";
import otlp from "./catalog/otlp.ts";
import pagerduty from "./catalog/pagerduty.ts";
import sentry from "./catalog/sentry.ts";
import slack from "./catalog/slack.ts";
import turso from "./catalog/turso.ts";
import webhook from "./catalog/webhook.ts";
import type { Integration } from "./contract.ts";

// biome-ignore format: one line, however many there are
export const INTEGRATIONS: readonly Integration[] = [axiom, datadog, discord, grafanaCloud, honeycomb, logFilesHttp, logFilesR2, momento, newRelic, otlp, pagerduty, sentry, slack, turso, webhook];
