/** Who made the records: OpenTelemetry's instrumentation scope. */
export { version as SCOPE_VERSION } from "../../../package.json";
export const SCOPE_NAME = "tailrace";
