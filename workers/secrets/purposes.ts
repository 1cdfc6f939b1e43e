/** What each stored credential is sealed for: moved to another row or field, it does not open. */

export const destinationPurpose = (id: string, field: string): string => `destination:${id}:${field}`;
export const resourcePurpose = (id: string, field: string): string => `resource:${id}:${field}`;
/** The API that accepted a token is the only one that is ever sent it: after a change of the variable it does not open. */
export const cloudflareTokenPurpose = (accountId: string, apiBaseUrl: string): string =>
  `cloudflare-token:${accountId}@${apiBaseUrl}`;
