/** PostgreSQL behind the contracts of this project. */
export * as PostgresClient from "./Client.ts"
export * as PostgresSource from "./PostgresSource.ts"
