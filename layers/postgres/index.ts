/** PostgreSQL behind the contracts of this project. */
export * as PostgresSource from "./PostgresSource.ts"
