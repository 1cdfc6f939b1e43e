/** The part of the API that integrations use: catalog, destinations, resources, connected Workers, Tailrace's own state. Typed by the contract. */
import type {
  BackfillRequest,
  CatalogAnswer,
  ConnectionAnswer,
  ConnectionsAnswer,
  DeadLetterAnswer,
  DeadLetterSelection,
  DeadLettersAnswer,
  DeadLettersChanged,
  DestinationAnswer,
  DestinationRules,
  DestinationsAnswer,
  NewDestination,
  NewResource,
  OptionsAnswer,
  PreviewAnswer,
  ResourceAnswer,
  ResourcesAnswer,
  StatusAnswer,
  TestAnswer,
  TestDestination,
} from "../../../workers/api/contract.ts";
import { get, part, request } from "./client.ts";

export type DestinationVerb = "pause" | "resume" | "retry";
export type DestinationChange = Omit<NewDestination, "integration" | "backfillFrom">;
export type ResourceChange = Omit<NewResource, "integration">;
export interface OptionsRequest {
  integration: string;
  field: string;
  values: Record<string, string>;
  /** With it, secrets that are left out are those stored. */
  id?: string;
}

const destination = (id: string, rest = "") => `/api/v1/destinations/${part(id)}${rest}`;
const resource = (id: string, rest = "") => `/api/v1/resources/${part(id)}${rest}`;

export const integrationsApi = {
  catalog: (signal?: AbortSignal) => get<CatalogAnswer>("integrations", {}, signal),

  destinations: (signal?: AbortSignal) => get<DestinationsAnswer>("destinations", {}, signal),
  destination: (id: string, signal?: AbortSignal) => get<DestinationAnswer>(`destinations/${part(id)}`, {}, signal),
  create: (body: NewDestination) => request<DestinationAnswer>("POST", "/api/v1/destinations", body),
  change: (id: string, body: DestinationChange) => request<DestinationAnswer>("PUT", destination(id), body),
  remove: (id: string) => request<void>("DELETE", destination(id)),
  command: (id: string, verb: DestinationVerb) => request<DestinationAnswer>("POST", destination(id, `/${verb}`)),
  backfill: (id: string, body: BackfillRequest) =>
    request<DestinationAnswer>("POST", destination(id, "/backfill"), body),
  test: (body: TestDestination, signal?: AbortSignal) =>
    request<TestAnswer>("POST", "/api/v1/destinations/test", body, signal),
  preview: (integration: string, rules: Partial<DestinationRules>, signal?: AbortSignal) =>
    request<PreviewAnswer>("POST", "/api/v1/destinations/preview", { integration, rules }, signal),

  deadLetters: (id: string, before: number | undefined, limit: number, signal?: AbortSignal) =>
    get<DeadLettersAnswer>(`destinations/${part(id)}/dead-letters`, { before, limit }, signal),
  deadLetter: (id: string, letter: number, signal?: AbortSignal) =>
    get<DeadLetterAnswer>(`destinations/${part(id)}/dead-letters/${letter}`, {}, signal),
  editDeadLetter: (id: string, letter: number, item: string) =>
    request<DeadLetterAnswer>("PUT", destination(id, `/dead-letters/${letter}`), { item }),
  deadLettersDo: (id: string, verb: "replay" | "discard", body: DeadLetterSelection) =>
    request<DeadLettersChanged>("POST", destination(id, `/dead-letters/${verb}`), body),

  resources: (signal?: AbortSignal) => get<ResourcesAnswer>("resources", {}, signal),
  createResource: (body: NewResource) => request<ResourceAnswer>("POST", "/api/v1/resources", body),
  changeResource: (id: string, body: ResourceChange) => request<ResourceAnswer>("PUT", resource(id), body),
  /** @param values what is new of the credentials, where the service makes none by itself */
  rotateResource: (id: string, values: Record<string, string>) =>
    request<ResourceAnswer>("POST", resource(id, "/rotate"), { values }),
  /** @param force also where a secret cannot be taken out of its Worker */
  removeResource: (id: string, force: boolean) => request<void>("DELETE", resource(id, force ? "?force=true" : "")),
  options: (body: OptionsRequest, signal?: AbortSignal) =>
    request<OptionsAnswer>("POST", "/api/v1/resources/options", body, signal),

  connections: (signal?: AbortSignal) => get<ConnectionsAnswer>("connections", {}, signal),
  connection: (script: string, signal?: AbortSignal) =>
    get<ConnectionAnswer>(`connections/${part(script)}`, {}, signal),
  connect: (script: string) => request<ConnectionAnswer>("PUT", `/api/v1/connections/${part(script)}`),
  /** @param force also what the Worker's own configuration connected */
  disconnect: (script: string, force: boolean) =>
    request<ConnectionAnswer>("DELETE", `/api/v1/connections/${part(script)}${force ? "?force=true" : ""}`),

  status: (signal?: AbortSignal) => get<StatusAnswer>("status", {}, signal),
};
