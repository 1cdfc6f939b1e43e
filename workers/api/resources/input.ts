/** Shapes of what `routes/resources.ts` is sent. */
import * as v from "valibot";
import { fieldValues, integrationId, nameOfOne } from "../destinations/input.ts";

const MAX_WORKERS = 200;

const id = v.pipe(v.string(), v.regex(/^[\w-]{1,128}$/, "This is not the id of a resource."));
const workers = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[\w-]{1,63}$/, "A Worker's name has letters, digits, - and _, 63 at most."))),
  v.maxLength(MAX_WORKERS, `At most ${MAX_WORKERS} Workers at once.`),
  v.transform((names) => [...new Set(names)]),
);

export const NewResourceBody = v.strictObject({
  integration: integrationId,
  name: nameOfOne,
  values: fieldValues,
  workers,
});
export const ChangedResourceBody = v.strictObject({ name: nameOfOne, values: fieldValues, workers });
export const RotateBody = v.strictObject({ values: v.optional(fieldValues, {}) });
export const OptionsBody = v.strictObject({
  id: v.optional(id),
  integration: integrationId,
  field: v.pipe(v.string(), v.maxLength(100)),
  values: fieldValues,
});
export const OneResource = v.object({ id, force: v.optional(v.picklist(["true", "false"])) });
