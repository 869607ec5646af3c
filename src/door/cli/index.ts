/** The command line. */
export { type About } from "./Ask.ts"
export { command } from "./Cli.ts"
export { paint } from "./Paint.ts"
export { plain } from "./Print.ts"
export {
  type BackendsOrder,
  type Client,
  type Fallback,
  type Looked,
  type Order,
  type Replayed,
  type RunnerOrder,
  type Running,
  Runtime,
  RuntimeError,
  type ServeOrder,
  type Trust,
  UsageError,
  type Watched,
  type Where,
  type Witnessing,
  type WitnessOrder
} from "./Runtime.ts"
export * as Usage from "./Usage.ts"
export { over } from "./Watch.ts"
