/**
 * Headers of every answer. One strict policy for pages and data alike: nothing
 * is loaded from elsewhere, nothing inline runs, nobody frames us. So even log
 * text that slipped through as HTML could not run.
 */
import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>;

const COMMON: Options = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", "data:"],
    fontSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
  permissionsPolicy: { camera: [], microphone: [], geolocation: [], payment: [] },
  referrerPolicy: "no-referrer",
  xFrameOptions: "DENY",
};

/** Not on plain http: there it means nothing, and a local port would be remembered for it. */
const overHttp = secureHeaders({ ...COMMON, strictTransportSecurity: false });
const overHttps = secureHeaders({ ...COMMON, strictTransportSecurity: "max-age=31536000; includeSubDomains" });

export const securityHeaders: MiddlewareHandler = (c, next) =>
  (c.req.url.startsWith("https:") ? overHttps : overHttp)(c, next);
