/**
 * The part of Cloudflare's API that `wrangler deploy` and `wrangler versions
 * upload` talk to, so that the unmodified client runs against it
 * (CLOUDFLARE_API_BASE_URL). Every upload is a new version; nothing is run.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

export interface UploadedVersion {
  script: string;
  versionId: string;
  /** `versions upload` makes a version that gets no traffic. */
  isDeployed: boolean;
  /** The multipart body: metadata and modules. */
  body: string;
}

export class CloudflareApi {
  readonly versions: UploadedVersion[] = [];
  /** Answer uploads with this error, as Cloudflare does for a script that does not start. */
  refusal: string | undefined;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<CloudflareApi> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new CloudflareApi(server);
  }

  /** What wrangler needs to come here, and to go nowhere else. */
  get env(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: "a-token",
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
      WRANGLER_SEND_METRICS: "false",
    };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const path = (request.url ?? "").split("?")[0] as string;
    const { status, result, error } = this.#result(`${request.method} ${path}`, Buffer.concat(chunks).toString("utf8"));
    response.writeHead(status ?? 200, { "content-type": "application/json" });
    const errors = error === undefined ? [] : [error];
    response.end(JSON.stringify({ success: error === undefined, errors, messages: [], result: result ?? null }));
  }

  #result(
    asked: string,
    body: string,
  ): { status?: number; result?: unknown; error?: { code: number; message: string } } {
    const upload = /^(PUT|POST) .*\/workers\/scripts\/([^/]+)(\/versions)?$/.exec(asked);
    if (upload !== null) {
      if (this.refusal !== undefined) return { status: 400, error: { code: 10021, message: this.refusal } };
      return { result: this.#uploaded(decodeURIComponent(upload[2] as string), upload[1] === "PUT", body) };
    }
    const script = /\/workers\/(?:services|workers)\/([^/]+)$/.exec(asked)?.[1];
    if (script !== undefined) {
      if (!this.versions.some((version) => version.script === script) && asked.includes("/services/"))
        return { status: 404, error: { code: 10090, message: "workers.api.error.service_not_found" } };
      return { result: SERVICE };
    }
    if (asked.endsWith("/deployments")) return { result: { deployments: [] } };
    if (asked.endsWith("/workers/subdomain")) return { result: { subdomain: "example" } };
    if (asked.endsWith("/subdomain")) return { result: { enabled: true, previews_enabled: true } };
    return { result: {} };
  }

  #uploaded(script: string, isDeployed: boolean, body: string): object {
    const versionId = randomUUID();
    this.versions.push({ script, versionId, isDeployed, body });
    return {
      id: isDeployed ? script : versionId,
      deployment_id: versionId,
      tag: "a-tag",
      etag: "an-etag",
      startup_time_ms: 1,
      metadata: { has_preview: false },
      available_on_subdomain: true,
    };
  }
}

const SERVICE = {
  default_environment: {
    environment: "production",
    script: { tag: "a-tag", tags: [], last_deployed_from: "wrangler" },
  },
  subdomain: { enabled: true, previews_enabled: true },
};
