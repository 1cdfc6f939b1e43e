/** Shapes of what `routes/destinations.ts` and its neighbours are sent. What the fields and rules mean is checked by `values.ts` and `delivery/rules/`. */
import * as v from "valibot";
import { DESTINATION_STATES, type DestinationRules } from "../contract.ts";
import { wholeNumber } from "../input.ts";

/** A service account's JSON key has 2.5 KB; a list of headers less. */
const MAX_VALUE = 16_000;
/** No integration has half as many fields. */
const MAX_VALUES = 50;
const MAX_NAME = 100;
/** As ids are made (`newDestinationId`); others cannot name a Courier. */
const MAX_ID = 64;
/** Bytes of a destination with all its values and rules. */
export const DESTINATION_BODY = 256 << 10;
/** Of a page; a click on "more" brings the next. */
const MAX_LETTERS = 200;
const LETTERS = 50;
/** Selected one by one; more are "all". */
const MAX_SELECTED = 1_000;
/** An item is an event with its invocation. */
const MAX_ITEM = 1 << 20;
export const LETTER_BODY = MAX_ITEM + (64 << 10);

export const integrationId = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, "This is not the id of an integration."));
const destinationId = v.pipe(
  v.string(),
  v.regex(/^[\w-]{1,64}$/, "This is not the id of a destination."),
  v.maxLength(MAX_ID),
);
export const nameOfOne = v.pipe(
  v.string("A name is a text."),
  v.trim(),
  v.minLength(1, "Give it a name."),
  v.maxLength(MAX_NAME, `A name has at most ${MAX_NAME} characters.`),
  v.check((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), "Control characters are not allowed."),
);
export const fieldValues = v.pipe(
  v.record(
    v.string(),
    v.pipe(v.string("Values are texts."), v.maxLength(MAX_VALUE, `At most ${MAX_VALUE} characters.`)),
  ),
  v.check((values) => Object.keys(values).length <= MAX_VALUES, `At most ${MAX_VALUES} fields.`),
);
const instant = v.pipe(v.number("Times are ms since the epoch."), v.integer(), v.minValue(0));
/** Read by `delivery/rules/`, which knows what each means. */
const rules = v.custom<Partial<DestinationRules>>(
  (given) => typeof given === "object" && given !== null && !Array.isArray(given),
  "rules is an object.",
);

const settings = {
  name: nameOfOne,
  values: fieldValues,
  rules: v.optional(rules, {}),
  state: v.optional(v.picklist(DESTINATION_STATES)),
  standby: v.optional(v.boolean()),
  failoverTo: v.nullish(destinationId),
};

export const NewDestinationBody = v.strictObject({
  integration: integrationId,
  ...settings,
  backfillFrom: v.nullish(instant),
});
export const ChangedDestinationBody = v.strictObject(settings);
export const TestBody = v.strictObject({
  id: v.optional(destinationId),
  integration: integrationId,
  values: fieldValues,
});
export const PreviewBody = v.strictObject({ integration: integrationId, rules: v.optional(rules, {}) });
export const BackfillBody = v.strictObject({ from: instant, to: v.optional(instant) });

export const OneDestination = v.object({ id: destinationId });
const letter = wholeNumber(1, Number.MAX_SAFE_INTEGER);
export const OneLetter = v.object({ id: destinationId, letter });
export const LettersParams = v.object({
  id: destinationId,
  before: v.optional(letter),
  limit: v.optional(wholeNumber(1, MAX_LETTERS), `${LETTERS}`),
});
export const LetterBody = v.strictObject({ item: v.pipe(v.string(), v.minLength(2), v.maxLength(MAX_ITEM)) });
export const SelectionBody = v.strictObject({
  ids: v.union(
    [
      v.literal("all"),
      v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(1))), v.minLength(1), v.maxLength(MAX_SELECTED)),
    ],
    `ids is "all", or a list of 1 to ${MAX_SELECTED} numbers of dead letters.`,
  ),
});
