/** The marketplace: every integration as a card, by category, found by a word. */
import { CATEGORIES, type CatalogEntry } from "../../../../workers/api/contract.ts";
import { feedsText, finds } from "../../lib/integrations.ts";
import { query, setQuery } from "../../state/location.ts";
import { Mark } from "./marks.tsx";

function Card({ entry, count }: { entry: CatalogEntry; count: number }) {
  return (
    <li>
      <a class="int-card" href={`/integrations/new/${encodeURIComponent(entry.id)}`}>
        <Mark entry={entry} />
        <span class="int-card-text">
          <span class="int-card-name">
            <b>{entry.name}</b>
            {count > 0 && <span class="small good">{count === 1 ? "set up" : `${count} set up`}</span>}
          </span>
          <span class="muted">{entry.summary}</span>
          <span class="small faint">
            {entry.takes.length > 0 ? feedsText(entry.takes) : "Secrets for your Workers"}
          </span>
        </span>
      </a>
    </li>
  );
}

interface Props {
  catalog: CatalogEntry[];
  /** Integration → how many are set up. */
  used: ReadonlyMap<string, number>;
}

export function Marketplace({ catalog, used }: Props) {
  const search = query.value.find ?? "";
  const category = query.value.category;
  const shown = CATEGORIES.filter((c) => category === undefined || c === category).flatMap((c) =>
    catalog.filter((e) => e.category === c && finds(e, search)),
  );
  return (
    <section aria-labelledby="market-title">
      <div class="section-head market-head">
        <h2 id="market-title">Add one</h2>
        <fieldset class="market-categories">
          <legend class="sr">Category</legend>
          {[undefined, ...CATEGORIES].map((name) => (
            <button
              key={name ?? ""}
              type="button"
              class="chip"
              aria-pressed={category === name}
              onClick={() => setQuery({ category: name }, true)}
            >
              {name ?? "All"}
            </button>
          ))}
        </fieldset>
        <span class="grow" />
        <input
          id="market-search"
          class="input market-search"
          type="search"
          aria-label="Search integrations"
          placeholder="Search"
          value={search}
          onInput={(e) => setQuery({ find: e.currentTarget.value }, true)}
        />
      </div>
      <ul class="int-cards">
        {shown.map((entry) => (
          <Card key={entry.id} entry={entry} count={used.get(entry.id) ?? 0} />
        ))}
      </ul>
      {shown.length === 0 && (
        <p class="muted market-none">
          Nothing of that name{category === undefined ? "" : ` among ${category}`}. Whatever speaks OTLP over HTTP can
          be reached by{" "}
          <a class="link" href="/integrations/new/otlp">
            OpenTelemetry
          </a>
          , and anything else by a{" "}
          <a class="link" href="/integrations/new/webhook">
            signed webhook
          </a>
          .{" "}
          <button type="button" class="link" onClick={() => setQuery({ find: undefined, category: undefined }, true)}>
            Show all
          </button>
        </p>
      )}
    </section>
  );
}
