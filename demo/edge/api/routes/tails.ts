/** `wrangler tail` is the platform's: it answers these paths as Cloudflare does, one port before ours. */
import type { Handler, Route } from "../api.ts";
import { failure } from "../envelope.ts";

const forward: Handler = async ({ request, env }) => {
  if (env.PLATFORM === undefined) {
    return failure({ status: 404, code: 10000, message: "Local edge: nobody takes tails here." });
  }
  const url = new URL(request.url);
  // The address of the socket is made of this one.
  url.port = String(Number(url.port) - 1);
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${env.PLATFORM_TOKEN}`);
  return env.PLATFORM.fetch(url, new Request(request, { headers }));
};

export const tails: Route[] = [
  ["POST", "/workers/scripts/:script/tails", forward],
  ["DELETE", "/workers/scripts/:script/tails/:id", forward],
];
