/** A version is found by what people call it, and never guessed. */
import { expect, it } from "vitest";
import { findVersion } from "../../../workers/rollouts/guard/name.ts";

const version = (id: string, number: number, tag = "") => ({
  ...{ id, number, tag },
  ...{ createdAt: number, author: "", message: "" },
});
const NEWEST = version("0f3d62be-1111-4222-8333-444455556666", 4, "v2");
const VERSIONS = [
  NEWEST,
  version("0f3d62be-9999-4222-8333-444455556666", 3, "same"),
  version("aaaabbbb-1111-4222-8333-444455556666", 2, "same"),
  version("9c3b7e42-1111-4222-8333-444455556666", 1, "aaaabbbb"),
];
const find = (name: string, versions = VERSIONS) => findVersion(versions, name, "shop");

it.each([
  [NEWEST.id, NEWEST.id],
  ["0f3d62be-1", NEWEST.id],
  ["0F3D62BE-1", NEWEST.id],
  ["9c3b7e42", "9c3b7e42-1111-4222-8333-444455556666"],
  ["v2", NEWEST.id],
])("%s is one version", (name, id) => {
  expect(find(name)).toEqual({ ok: true, id });
});

it.each([
  ["0f3d62be", ["v2 (0f3d62be)", "same (0f3d62be)"]],
  ["same", ["same (0f3d62be)", "same (aaaabbbb)"]],
  ["aaaabbbb", ["same (aaaabbbb)", "aaaabbbb (9c3b7e42)"]],
])("%s is two: which there are is said", (name, named) => {
  const found = find(name);
  expect(found).toMatchObject({ ok: false, message: expect.stringContaining(`2 versions of shop are called ${name}`) });
  for (const one of named) expect(found).toMatchObject({ message: expect.stringContaining(one) });
});

it("what is no version's name is answered with the newest; a shorter beginning is none", () => {
  for (const name of ["v3", "0f3d62b", "9c3b"]) {
    expect(find(name)).toMatchObject({ ok: false, message: expect.stringContaining("newest are v2 (0f3d62be)") });
  }
  expect(find("v3", [])).toMatchObject({ ok: false, message: expect.stringContaining("None is uploaded") });
});

it("names a few of many", () => {
  const many = Array.from({ length: 100 }, (_, n) => version(`0f3d62be-${n}`, n));
  expect(find("0f3d62be", many)).toMatchObject({ ok: false, message: expect.stringContaining("and 95 more") });
});
