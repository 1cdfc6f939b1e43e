/** Release 1.5.0: recommendations on product pages, and a search that forgives typing errors. */
import { createStorefront } from "./app.ts";
import { presentWithRecommendations } from "./v2/present.ts";
import { searchFuzzy } from "./v2/search.ts";

export default createStorefront({ version: "1.5.0", search: searchFuzzy, present: presentWithRecommendations });
