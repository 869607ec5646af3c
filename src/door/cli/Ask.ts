/** What commands have in common: the folder they work on, who gives the order, and how an operation is asked for. */
import { Config, Console, Effect, Schema } from "effect"
import { Flag } from "effect/cli"
import { RpcClient, RpcClientError } from "effect/rpc"
import { Asker, Explain } from "../../operator/index.ts"
import * as Print from "./Print.ts"
import { type Client, Runtime, RuntimeError, UsageError } from "./Runtime.ts"

/** The program's name and version, and who sits at the keyboard. */
export interface About {
  readonly version: string
  readonly user: string
}

/** The folder that a command works on. */
export const data = Flag.String("data").pipe(
  Flag.withDescription("Data folder (AOSIQ_DATA)"),
  Flag.withMetavar("DIR"),
  Flag.withFallbackConfig(Config.String("AOSIQ_DATA")),
  Flag.withDefault(".aosiq")
)
/** Whether a program reads what is printed. */
export const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON for programs"), Flag.withDefault(false))
/** A file of prices. */
export const prices = Flag.String("prices").pipe(
  Flag.withDescription("Prices of your own, before the price list (AOSIQ_PRICES)"),
  Flag.withMetavar("FILE"),
  Flag.optional
)

/** Who gives the order. */
export const by = (about: About) =>
  Flag.String("by").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    Flag.withDescription("Who decides (default: you)"),
    Flag.withDefault(about.user)
  )
/** What goes on record as the reason. */
export const reason = Flag.String("reason").pipe(Flag.withDescription("Why; it is recorded"), Flag.withDefault(""))

/** Runs an operation in the name of who gives the order, and prints its result. */
export const run = <A, E, R>(
  options: { readonly data: string; readonly json: boolean; readonly by?: string },
  ask: (client: Client) => Effect.Effect<A, E, R>,
  print: (value: A) => string
) =>
  Effect.scoped(Effect.gen(function*() {
    const runtime = yield* Runtime
    const client = yield* runtime.open(options.data)
    const value = yield* Effect.mapError(named(ask(client), options.by), failed(options.data))
    yield* Console.log(options.json ? JSON.stringify(value, null, 2) : Print.plain(print(value)))
    return value
  }))

/** More than any diagnosis costs, in US dollars: a slip of the hand. */
export const maxBudgetUsd = 10_000

// internal

const named = <A, E, R>(self: Effect.Effect<A, E, R>, by: string | undefined) =>
  by === undefined ? self : RpcClient.withHeaders(self, { [Asker.header]: by })

const failed = (folder: string) => (error: unknown): RuntimeError | UsageError => {
  if (error instanceof RpcClientError.RpcClientError) {
    const detail = `the process that works on ${folder} went away before it answered`
    return new RuntimeError({ detail, remedy: "see what was done with aosiq approvals list, then try again" })
  }
  // What was wrong with the command itself is no failure of the runtime.
  return error instanceof UsageError ? error : new RuntimeError(Explain.explain(error))
}
