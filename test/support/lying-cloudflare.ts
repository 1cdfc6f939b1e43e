/**
 * Cloudflare as a guard must expect it: a CloudflareClient in memory whose calls
 * can be scripted to fail, to lie and to hang. Runs in Node and in workerd. What
 * it holds is the truth that a test looks at; what it answers need not be.
 */
import type {
  ApiFailure,
  ApiFailureKind,
  ApiResult,
  CloudflareClient,
  Deployment,
  DeploymentVersion,
  DeployRequest,
  Version,
  VersionDetail,
} from "../../workers/cloudflare/contract.ts";

export type Call = keyof CloudflareClient;

/** One bad day of one call. For reads, those that speak of an effect only fail. */
export type Fault =
  | "rate_limited"
  | "server_error"
  | "no_connection"
  | "unauthorized"
  | "refused"
  /** No answer, and nothing was done. */
  | "timeout_before"
  /** No answer, but it was done. */
  | "timeout_after"
  /** 500, but it was done. */
  | "error_after"
  /** 200, but nothing was done. */
  | "success_without_effect"
  /** A read that does not know the last deployment yet. */
  | "stale"
  /** Answers when `release` is called. */
  | "hang";

export interface Asked {
  call: Call;
  script: string;
  request?: DeployRequest;
  fault?: Fault;
}

interface Script {
  versions: VersionDetail[];
  deployments: Deployment[];
  tails: string[];
  /** Deployments of versions from before need `force`. */
  hasChangedSecrets: boolean;
}

const FAILURES: Record<Exclude<Fault, "success_without_effect" | "stale" | "hang">, [ApiFailureKind, number]> = {
  rate_limited: ["rate_limited", 429],
  server_error: ["unavailable", 500],
  no_connection: ["unavailable", 0],
  unauthorized: ["unauthorized", 403],
  refused: ["refused", 400],
  timeout_before: ["timeout", 0],
  timeout_after: ["timeout", 0],
  error_after: ["unavailable", 500],
};

export class LyingCloudflare implements CloudflareClient {
  /** Every call in order, with the fault that it met. */
  readonly asked: Asked[] = [];
  now: () => number;
  /** What `rate_limited` asks for. */
  retryAfterMs: number | null = 1_000;
  readonly #scripts = new Map<string, Script>();
  readonly #next = new Map<Call, Fault[]>();
  readonly #always = new Map<Call, Fault>();
  #hanging: (() => void)[] = [];
  #ids = 0;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /** A Worker of which the first version is live at 100 %; the versions are given oldest first. */
  add(script: string, versions: (Partial<VersionDetail> & { id: string })[], tails = ["tailrace"]): this {
    const details = versions.map((version, i) => ({ ...BLANK, number: i + 1, createdAt: this.now(), ...version }));
    this.#scripts.set(script, { versions: details.reverse(), deployments: [], tails, hasChangedSecrets: false });
    const first = versions[0];
    if (first !== undefined) this.act(script, [{ version: first.id, percent: 100 }]);
    return this;
  }

  /** Another version is uploaded. */
  upload(script: string, version: Partial<VersionDetail> & { id: string }): void {
    const all = this.#script(script).versions;
    all.unshift({ ...BLANK, number: (all[0]?.number ?? 0) + 1, createdAt: this.now(), ...version });
  }

  /** The version is there no more. */
  forget(script: string, version: string): void {
    const worker = this.#script(script);
    worker.versions = worker.versions.filter(({ id }) => id !== version);
  }

  /** Cloudflare refuses (code 10220) what goes back to before it, unless it is forced. */
  changeSecrets(script: string): void {
    this.#script(script).hasChangedSecrets = true;
  }

  remove(script: string): void {
    this.#scripts.delete(script);
  }

  /** Somebody else deploys. */
  act(script: string, versions: DeploymentVersion[], message = "", author = "somebody@example.com"): Deployment {
    return this.#deployed(script, versions, message, author);
  }

  /** The next calls of this kind meet these faults, one each. */
  next(call: Call, ...faults: Fault[]): this {
    this.#next.set(call, [...(this.#next.get(call) ?? []), ...faults]);
    return this;
  }

  /** All calls of this kind meet it, until `heal`. */
  always(call: Call, fault: Fault): this {
    this.#always.set(call, fault);
    return this;
  }

  heal(): void {
    this.#next.clear();
    this.#always.clear();
    this.release();
  }

  /** What hangs is answered, truthfully. */
  release(): void {
    const waiting = this.#hanging;
    this.#hanging = [];
    for (const go of waiting) go();
  }

  /** The truth. */
  live(script: string): Deployment | undefined {
    return this.#script(script).deployments[0];
  }

  /** Every deployment there ever was, newest first. */
  history(script: string): Deployment[] {
    return this.#script(script).deployments;
  }

  /** What was asked to be deployed, done or not. */
  posts(script: string): DeployRequest[] {
    return this.asked.flatMap(({ call, script: of, request }) =>
      call === "deploy" && of === script && request !== undefined ? [request] : [],
    );
  }

  async deployments(script: string): Promise<ApiResult<Deployment[]>> {
    return this.#read("deployments", script, (worker, fault) => worker.deployments.slice(fault === "stale" ? 1 : 0));
  }

  async versions(script: string): Promise<ApiResult<Version[]>> {
    return this.#read("versions", script, (worker) => worker.versions.slice(0, 100).map(withoutDetail));
  }

  async version(script: string, id: string): Promise<ApiResult<VersionDetail>> {
    const found = await this.#read("version", script, (worker) => worker.versions.find((version) => version.id === id));
    if (!found.ok) return found;
    if (found.value === undefined) return failure("not_found", 404, `There is no version ${id} of ${script}.`, 10_007);
    return { ...found, value: found.value };
  }

  async tailConsumers(script: string): Promise<ApiResult<string[]>> {
    return this.#read("tailConsumers", script, (worker) => worker.tails);
  }

  async verify(): Promise<ApiResult<void>> {
    const fault = await this.#meet({ call: "verify", script: "" });
    return this.#failed(fault) ?? done(undefined);
  }

  async deploy(script: string, request: DeployRequest): Promise<ApiResult<Deployment>> {
    const fault = await this.#meet({ call: "deploy", script, request });
    const hasEffect = fault === undefined || ["timeout_after", "error_after", "hang", "stale"].includes(fault);
    const worker = this.#scripts.get(script);
    if (worker === undefined) return failure("not_found", 404, `There is no Worker ${script}.`, 10_007);
    if (hasEffect) {
      const unknown = request.versions.find(({ version }) => !worker.versions.some(({ id }) => id === version));
      if (unknown !== undefined)
        return failure("refused", 400, `Version ${unknown.version} cannot be deployed.`, 10_021);
      if (worker.hasChangedSecrets && request.force !== true)
        return failure("refused", 400, "A secret has changed since this version was live.", 10_220);
      const deployment = this.#deployed(script, request.versions, request.message, "tailrace@example.com");
      return this.#failed(fault) ?? done(deployment);
    }
    return this.#failed(fault) ?? done(this.#made(request.versions, request.message, "tailrace@example.com"));
  }

  async #read<T>(call: Call, script: string, take: (worker: Script, fault?: Fault) => T): Promise<ApiResult<T>> {
    const fault = await this.#meet({ call, script });
    const failed = this.#failed(fault);
    if (failed !== undefined) return failed;
    const worker = this.#scripts.get(script);
    if (worker === undefined) return failure("not_found", 404, `There is no Worker ${script}.`, 10_007);
    return done(structuredClone(take(worker, fault)));
  }

  async #meet(asked: Asked): Promise<Fault | undefined> {
    const fault = this.#next.get(asked.call)?.shift() ?? this.#always.get(asked.call);
    this.asked.push(fault === undefined ? asked : { ...asked, fault });
    if (fault === "hang") await new Promise<void>((go) => this.#hanging.push(go));
    return fault;
  }

  #failed(fault: Fault | undefined): ApiFailure | undefined {
    if (fault === undefined || fault === "success_without_effect" || fault === "stale" || fault === "hang") return;
    const [kind, status] = FAILURES[fault];
    const failed = failure(kind, status, `Cloudflare's API: ${fault.replaceAll("_", " ")}.`);
    return fault === "rate_limited" ? { ...failed, retryAfterMs: this.retryAfterMs } : failed;
  }

  #deployed(script: string, versions: DeploymentVersion[], message: string, author: string): Deployment {
    const deployment = this.#made(versions, message, author);
    this.#script(script).deployments.unshift(deployment);
    return structuredClone(deployment);
  }

  #made(versions: DeploymentVersion[], message: string, author: string): Deployment {
    const id = `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, "0")}`;
    const copy = versions.map((version) => ({ ...version }));
    return { id, createdAt: this.now(), author, message, triggeredBy: "deployment", versions: copy };
  }

  #script(name: string): Script {
    const script = this.#scripts.get(name);
    if (script === undefined) throw new Error(`the test has no Worker ${name}`);
    return script;
  }
}

const BLANK: Omit<VersionDetail, "id"> = {
  number: 0,
  createdAt: 0,
  author: "somebody@example.com",
  tag: "",
  message: "",
  migrationTag: null,
  compatibilityDate: "2026-11-01",
  bindings: [],
};

const withoutDetail = ({ migrationTag: _, compatibilityDate: __, bindings: ___, ...version }: VersionDetail): Version =>
  version;

const done = <T>(value: T): ApiResult<T> => ({ ok: true, value, attempts: 1 });

function failure(kind: ApiFailureKind, status: number, message: string, code: number | null = null): ApiFailure {
  return { ok: false, kind, status, code, message, retryAfterMs: null, attempts: 1 };
}
