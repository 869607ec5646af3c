/** Prometheus as a source of evidence, and how it is asked. */
export { layerMetrics, type Options } from "./PrometheusSource.ts"
export { defaultQueries, type Queries, type Query } from "./Queries.ts"
