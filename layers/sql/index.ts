/** The log in SQL. */
export * as Failure from "./Failure.ts"
export * as Migrate from "./Migrate.ts"
export * as SqlRequests from "./Requests.ts"
export * as SqlStore from "./Store.ts"
