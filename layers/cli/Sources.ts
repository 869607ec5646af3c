/** The sources an order names: a recorded case, or this host with whatever else was given. */
import { NodeHttpClient } from "@effect/platform-node"
import { type FileSystem, Layer } from "effect"
import type { SqlError } from "effect/sql"
import { Combine, type Source } from "../../src/agents/advisor/index.ts"
import type { Order } from "../../src/door/cli/index.ts"
import { layer as caseFolder } from "../casefolder/index.ts"
import { defaultLogPaths, layerMetrics as hostMetrics, layerSettings as hostSettings } from "../host/index.ts"
import { LogFiles } from "../logfiles/index.ts"
import { PostgresClient, PostgresSource } from "../postgres/index.ts"
import { layerMetrics as prometheusMetrics } from "../prometheus/index.ts"
import { SettingFiles } from "../settings/index.ts"

/** What is looked at, in words. */
export const subject = (order: Order): string =>
  order.caseFolder === undefined
    ? [
      "this host",
      ...(order.prometheus === undefined ? [] : [order.prometheus]),
      ...(order.postgres === undefined ? [] : ["a PostgreSQL server"]),
      ...order.logs
    ].join(", ")
    : `the case in ${order.caseFolder}`

/** The sources of the order. */
export const layer = (order: Order) =>
  order.caseFolder === undefined ? live(order) : caseFolder({ directory: order.caseFolder })

// internal

const live = (order: Order) => {
  const { baseline, config, postgres, prometheus } = order
  const databases = postgres === undefined ? [] : [PostgresClient.layer(postgres)]
  const metrics: ReadonlyArray<Layer.Layer<Source.Metrics, SqlError.SqlError>> = [
    hostMetrics(),
    ...(prometheus === undefined
      ? []
      : [prometheusMetrics({ url: prometheus }).pipe(Layer.provide(NodeHttpClient.layerUndici))]),
    ...databases.map((database) => PostgresSource.layerMetrics().pipe(Layer.provide(database)))
  ]
  const settings: ReadonlyArray<Layer.Layer<Source.Settings, SqlError.SqlError, FileSystem.FileSystem>> = [
    hostSettings(),
    ...(config === undefined || baseline === undefined ? [] : [SettingFiles.layer({ actual: config, baseline })]),
    ...databases.map((database) => PostgresSource.layerSettings().pipe(Layer.provide(database)))
  ]
  return Layer.mergeAll(
    Combine.metrics(metrics),
    Combine.settings(settings),
    LogFiles.layer({ paths: order.logs.length > 0 ? order.logs : defaultLogPaths })
  )
}
