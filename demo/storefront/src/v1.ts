/** Release 1.4.2: the one that works. */
import { createStorefront } from "./app.ts";
import { presentProduct } from "./present.ts";
import { searchByWords } from "./search.ts";

export default createStorefront({ version: "1.4.2", search: searchByWords, present: presentProduct });
