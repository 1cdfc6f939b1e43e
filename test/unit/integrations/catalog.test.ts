/** What holds for every integration: it is data that a form, an API and a reader can rely on. */
import { describe, expect, test } from "vitest";
import { catalogText } from "../../../scripts/lib/catalog.mjs";
import { CATEGORIES, FEEDS } from "../../../workers/api/contract/integrations.ts";
import { entryOf, INTEGRATIONS, integrationOf } from "../../../workers/integrations/catalog.ts";

const NAME = /^[a-z][A-Za-z0-9_]*$/;
const SAID = /[.!?)`]$/;

test("ids are there once, and in the order of their files", () => {
  const ids = INTEGRATIONS.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  // The list is made from the files' names: an id that is not its file's name is not in it.
  for (const id of ids) expect(catalogText()).toContain(`from "./catalog/${id}.ts"`);
  expect(integrationOf("nothing-of-the-kind")).toBeUndefined();
});

describe.each(INTEGRATIONS.map((integration) => [integration.id, integration] as const))("%s", (id, integration) => {
  const { fields, documentation, takes, role } = integration;

  test("says what it is, in a sentence, with where to find its key", () => {
    expect(integration.name.trim()).not.toBe("");
    expect(CATEGORIES).toContain(integration.category);
    expect(integration.summary).toMatch(SAID);
    expect(integration.summary.length).toBeLessThan(160);
    expect(documentation.length).toBeGreaterThan(200);
    expect(new URL(integration.website).protocol).toBe("https:");
    expect(integration.mark.text).toMatch(/^\S{1,2}$/u);
    expect(integration.mark.color).toMatch(/^#[0-9a-f]{6}$/i);
    // The repository is vendor's pages and our own: nothing that a log-in hides.
    for (const [, url] of documentation.matchAll(/\]\(([^)]+)\)/g)) expect(url).toMatch(/^(https:\/\/|docs\/)/);
  });

  test("takes what it can be sent", () => {
    for (const feed of takes) expect(FEEDS).toContain(feed);
    expect(takes.length > 0).toBe(role === "destination");
    expect(integration.category === "Resources").toBe(role === "resource");
    if (integration.role !== "destination") return;
    expect(integration.limits.items).toBeGreaterThan(0);
    expect(integration.limits.bytes).toBeGreaterThan(0);
  });

  test("has fields that a form can draw, secrets write-only", () => {
    expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length);
    for (const field of fields) {
      expect(field.name).toMatch(NAME);
      expect(field.help, `${id}.${field.name}`).toMatch(SAID);
      expect(field.secret, `${id}.${field.name}`).toBe(field.type === "secret");
      if (field.secret) expect(field.default, `${id}.${field.name}`).toBeUndefined();
      if (field.required) expect(field.advanced ?? false, `${id}.${field.name}: nobody would find it`).toBe(false);
      if (field.generate !== undefined) expect(field.secret).toBe(true);
      if (field.type === "boolean" && field.default !== undefined) expect(field.default).toMatch(/^(true|false)$/);
      if (field.type !== "select") continue;
      const options = field.options?.map((option) => option.value) ?? [];
      if (field.dynamic !== true) expect(options.length).toBeGreaterThan(1);
      if (field.default !== undefined) expect(options).toContain(field.default);
    }
  });

  test("finds nothing wrong with nothing that it can be asked about, and never throws", () => {
    const presets = Object.fromEntries(
      fields.flatMap(({ name, default: preset }) => (preset === undefined ? [] : [[name, preset]])),
    );
    for (const values of [{}, presets, Object.fromEntries(fields.map(({ name }) => [name, "\u0000<>%"]))]) {
      const problems = integration.check?.(values) ?? {};
      for (const name of Object.keys(problems)) expect(fields.map((field) => field.name)).toContain(name);
    }
  });

  test("its entry is data, and the whole of it", () => {
    const entry = entryOf(integration);
    expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
    expect(Object.keys(entry)).not.toContain("send");
  });
});
