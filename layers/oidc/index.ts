/** Issuers of tokens by OpenID Connect: the door of this room. */
export * as KeyCache from "./KeyCache.ts"
export * as OidcIssuers from "./OidcIssuers.ts"
export * as OidcSettings from "./OidcSettings.ts"
