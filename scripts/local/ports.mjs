/** Says before anything is started whether a port is free, in words. */
import { createServer } from "node:net";
import { Complaint } from "../lib/complaint.mjs";

/** `localhost` means both: someone else on ::1 alone would answer our users. */
const LOOPBACKS = ["127.0.0.1", "::1"];

export async function requireFreePort(port, purpose) {
  for (const host of LOOPBACKS) {
    const code = await tryListen(port, host);
    if (code === "EADDRINUSE") {
      throw new Complaint(`port ${port} (${purpose}) is taken; end what uses it or set PORT to another one`);
    }
    if (code === "EACCES") throw new Complaint(`port ${port} (${purpose}) needs privileges; set PORT to 1024 or more`);
  }
}

function tryListen(port, host) {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(error.code));
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(undefined)));
  });
}
