/** Above the page of one destination or resource: where that is, the way back, what it is. What can be done with it are the children. */
import type { ComponentChildren } from "preact";
import type { CatalogEntry } from "../../../../workers/api/contract.ts";
import type { ApiFailure } from "../../api/client.ts";
import { Icon } from "../icons.tsx";
import { StaleNotice } from "../states.tsx";
import { Mark } from "./marks.tsx";

interface Props {
  name: string;
  entry: CatalogEntry | undefined;
  /** Of which integration it is; left out where the name says it. */
  kind: string | undefined;
  /** Why what is shown may be old. */
  failure: ApiFailure | undefined;
  retry: () => void;
  children: ComponentChildren;
}

export function PageHead({ name, entry, kind, failure, retry, children }: Props) {
  return (
    <>
      <nav class="crumbs small" aria-label="Where this is">
        <a href="/integrations">Integrations</a>
        <span aria-hidden="true">/</span>
        <span aria-current="page" class="cut">
          {name}
        </span>
      </nav>
      {failure !== undefined && <StaleNotice failure={failure} retry={retry} />}
      <div class="roll-head dest-head">
        <a class="icon-btn" href="/integrations" aria-label="Back to Integrations">
          <Icon name="back" />
        </a>
        <Mark entry={entry} small />
        <h1 class="cut">{name}</h1>
        {kind !== undefined && <span class="muted cut">{kind}</span>}
        <span class="grow" />
        {children}
      </div>
    </>
  );
}

export function Gone({ what }: { what: string }) {
  return (
    <div class="state">
      <h2>There is no such {what}</h2>
      <p class="muted">It may have been removed.</p>
      <a class="btn" href="/integrations">
        All integrations
      </a>
    </div>
  );
}
