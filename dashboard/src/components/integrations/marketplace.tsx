/** The marketplace: every integration as a card, by category, found by a word. */
import { CATEGORIES, type CatalogEntry } from "../../../../workers/api/contract.ts";
import { FEED_LABELS, finds } from "../../lib/integrations.ts";
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
            {entry.takes.length > 0 ? entry.takes.map((f) => FEED_LABELS[f]).join(" · ") : "Secrets for your Workers"}
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
  const found = catalog.filter((e) => finds(e, search));
  const shown = CATEGORIES.filter((c) => category === undefined || c === category)
    .map((name) => ({ name, entries: found.filter((e) => e.category === name) }))
    .filter((group) => group.entries.length > 0);
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
      {shown.map((group) => (
        <div key={group.name} class="market-group">
          <h3 class="small faint">{group.name}</h3>
          <ul class="int-cards">
            {group.entries.map((entry) => (
              <Card key={entry.id} entry={entry} count={used.get(entry.id) ?? 0} />
            ))}
          </ul>
        </div>
      ))}
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
