/** The command line. */
export { type About, command } from "./Cli.ts"
export { type Client, type Order, type Running, Runtime, RuntimeError } from "./Runtime.ts"
