/** Where source maps lie in the bucket: beside `events/`, each object under its own SHA-256. */

export const MAPS_PREFIX = "maps/";

export const blobKey = (hash: string): string => MAPS_PREFIX + hash;

/** What one owner's parts were joined to, until its hash is proven. No map refers to it: the sweep takes away what is left. */
export const joinedKey = (hash: string, owner: string): string => `${MAPS_PREFIX}joined/${hash}.${owner}`;
