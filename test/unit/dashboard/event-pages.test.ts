/** The rows behind the list: paged by cursor, let go when far away, fetched again when back in view. */
import { afterEach, expect, test, vi } from "vitest";
import { EventPages } from "../../../dashboard/src/state/event-pages.ts";

afterEach(() => vi.unstubAllGlobals());

/** A server with `total` events; the cursor is the number of the next one. */
function serve(total: number): URL[] {
  const asked: URL[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    const { searchParams } = new URL(url, "http://localhost");
    asked.push(new URL(url, "http://localhost"));
    const from = Number(searchParams.get("before") ?? 0);
    const to = Math.min(total, from + Number(searchParams.get("limit")));
    const rows = Array.from({ length: to - from }, (_, i) => ["2026-11-20T10:00:00.000000Z", "id", from + i]);
    const columns = ["time", "invocation_id", "seq"].map((name) => ({ name, type: "string" }));
    return Response.json({ columns, rows, next: to < total ? String(to) : undefined, stats: {} });
  });
  return asked;
}

async function loadAll(pages: EventPages): Promise<void> {
  while (!pages.done) {
    await pages.more();
    pages.view(pages.total - 20, pages.total);
  }
}

test("pages join without a gap or a doubled row, and the last one ends the list", async () => {
  serve(5000);
  const pages = new EventPages("script:shop", { from: 0, to: 1 });
  await loadAll(pages);
  expect(pages.total).toBe(5000);
  expect(pages.row(4999)?.seq).toBe(4999);
  expect(pages.row(5000)).toBeUndefined();
  expect(pages.indexOf("id", 4321)).toBe(4321);
});

test("pages far from view are let go, and come back with the cursor they had", async () => {
  const asked = serve(60_000);
  const pages = new EventPages("", { from: 0, to: 1 });
  await loadAll(pages);
  expect(pages.row(0)).toBeUndefined();
  let held = 0;
  for (let i = 0; i < pages.total; i++) if (pages.row(i) !== undefined) held++;
  expect(held).toBeLessThanOrEqual(20_000);

  const before = asked.length;
  pages.view(0, 30);
  await vi.waitFor(() => expect(pages.row(0)?.seq).toBe(0));
  expect(asked.length).toBe(before + 1);
  expect(asked.at(-1)?.searchParams.get("before")).toBeNull();
});

test("an error stops the paging until one tries again", async () => {
  vi.stubGlobal("fetch", async () =>
    Response.json({ error: { code: "unavailable", message: "Later." } }, { status: 503 }),
  );
  const pages = new EventPages("", { from: 0, to: 1 });
  await pages.more();
  expect(pages.error?.message).toBe("Later.");
  serve(10);
  await pages.more();
  expect(pages.total).toBe(0);
  pages.retry();
  await vi.waitFor(() => expect(pages.total).toBe(10));
  expect(pages.done).toBe(true);
});
