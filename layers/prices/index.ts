/** What models cost, from a maintained package and a file of one's own. */
export * as Overrides from "./Overrides.ts"
export * as Prices from "./Prices.ts"
