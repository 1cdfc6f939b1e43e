/** Release 1.6.0: product pages promise a day of delivery. Uploaded by `npm start -- --rollout bad`, and taken back. */
import { createStorefront } from "./app.ts";
import { searchByWords } from "./search.ts";
import { presentWithPromise } from "./v3/present.ts";

export default createStorefront({ version: "1.6.0", search: searchByWords, present: presentWithPromise });
