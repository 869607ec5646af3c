/** Money: what an act may cost, what it did cost, and whose ceiling it counts against. */
export * as Account from "./Account.ts"
export * as CostModel from "./CostModel.ts"
export * as MicroUsd from "./MicroUsd.ts"
export * as Prices from "./Prices.ts"
