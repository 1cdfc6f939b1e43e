/** Where source maps lie in the bucket: beside `events/`, each object under its own SHA-256. */

export const MAPS_PREFIX = "maps/";

export const blobKey = (hash: string): string => MAPS_PREFIX + hash;
