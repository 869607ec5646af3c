/** The log in SQL. */
export * as Migrate from "./Migrate.ts"
export * as SqlStore from "./Store.ts"
