/** What commands have in common: where they go, who gives the order, and how an operation is asked for. */
import { Console, Effect, Option, Predicate, Schema, type Scope, Stream } from "effect"
import { Flag, TerminalCapabilities } from "effect/cli"
import { RpcClient, RpcClientError } from "effect/rpc"
import { Asker, Explain } from "../../operator/index.ts"
import * as Paint from "./Paint.ts"
import * as Print from "./Print.ts"
import { type Client, Runtime, RuntimeError, UsageError, type Where } from "./Runtime.ts"
import * as Wheres from "./Where.ts"

export { data, folder } from "./Where.ts"

/** The program's version, who sits at the keyboard, and the versions of the packages that it was tested with. */
export interface About {
  readonly version: string
  readonly user: string
  readonly packages?: { readonly [name: string]: string }
}

/** Whether a program reads what is printed. */
export const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON for programs"), Flag.withDefault(false))
/** A file of prices. */
export const prices = Flag.String("prices").pipe(
  Flag.withDescription("Prices of your own, before the price list (AOSIQ_PRICES)"),
  Flag.withMetavar("FILE"),
  Flag.optional
)

/** Who was named as the giver of the order, and who sits at the keyboard. */
export interface By {
  readonly named: Option.Option<string>
  readonly user: string
}
/** Who gives the order. */
export const by = (about: About) =>
  Flag.String("by").pipe(
    Flag.withSchema(Schema.NonEmptyString),
    Flag.withDescription("Who decides (default: you); with --remote it is the token's caller"),
    Flag.withMetavar("NAME"),
    Flag.optional,
    Flag.map((named): By => ({ named, user: about.user }))
  )
/** What goes on record as the reason. */
export const reason = Flag.String("reason").pipe(Flag.withDescription("Why; it is recorded"), Flag.withDefault(""))

/** How a command goes about it, beside what it asks for. */
export interface Mode {
  readonly data: Option.Option<string>
  readonly json: boolean
  readonly by?: By
}

/** Somebody who gives an order; `""` where none is given. */
export type Who = string

/** Runs an operation in the name of who gives the order, and prints its result. */
export const run = <A, E, R>(
  options: Mode,
  ask: (client: Client, who: Who) => Effect.Effect<A, E, R>,
  print: (value: A, who: Who) => string
) =>
  asking(options, (client, who) =>
    Effect.tap(
      ask(client, who),
      (value) => options.json ? Console.log(Print.json(value, 2)) : say(print(value, who))
    ))

/** The same for what comes piece by piece: a line of JSON for each, or of text where there is something to say. */
export const stream = <A, E, R>(
  options: Mode,
  ask: (client: Client, who: Who) => Stream.Stream<A, E, R>,
  print: (value: A) => string | undefined
) =>
  asking(options, (client, who) =>
    Stream.runForEach(ask(client, who), (value) => {
      if (options.json) return Console.log(Print.json(value))
      const line = print(value)
      return line === undefined ? Effect.void : say(line)
    }))

/** Prints text that may have come from anybody, in colours where they are wanted. */
export const say = (text: string): Effect.Effect<void> =>
  Effect.flatMap(
    TerminalCapabilities.TerminalCapabilities,
    ({ canColor }) => Console.log(Paint.paint(canColor, Print.plain(text)))
  )

// internal

/** Asks in the name of who gives the order, for as long as `ask` takes. */
const asking = <A, E, R>(
  { by, data }: Mode,
  ask: (client: Client, who: Who) => Effect.Effect<A, E, R>
): Effect.Effect<
  A,
  RuntimeError | UsageError,
  Exclude<R, Scope.Scope> | Runtime | Wheres.Told | Effect.Services<ReturnType<typeof Wheres.of>>
> =>
  Effect.scoped(Effect.gen(function*() {
    const where = yield* Wheres.of(data)
    const runtime = yield* Runtime
    const client = yield* runtime.open(where)
    const who = yield* Effect.mapError(whoOf(client, where, by), failed(where))
    return yield* Effect.mapError(named(ask(client, who), where, who), failed(where))
  }))

/** On this machine whoever is named; elsewhere the token says it. */
const whoOf = (client: Client, where: Where, by: By | undefined) => {
  if (by === undefined) return Effect.succeed("")
  if (where._tag === "Folder") return Effect.succeed(Option.getOrElse(by.named, () => by.user))
  return Option.isSome(by.named)
    ? Effect.fail(
      new UsageError({
        detail: `--by ${by.named.value} is not believed at ${where.url}: who decides there is the token's caller`,
        remedy: "leave --by out, or give the token of that caller"
      })
    )
    : Effect.map(client.caller_self(), ({ name }) => name)
}

const named = <A, E, R>(self: Effect.Effect<A, E, R>, { _tag }: Where, who: Who) =>
  _tag === "Remote" || who === "" ? self : RpcClient.withHeaders(self, { [Asker.header]: who })

const failed = (where: Where) => (error: unknown): RuntimeError | UsageError => {
  if (error instanceof RpcClientError.RpcClientError) {
    const place = where._tag === "Folder" ? where.folder : where.url
    const detail = `the process that works on ${place} went away before it answered`
    return new RuntimeError({ detail, remedy: "see what was done with aosiq approvals list, then try again" })
  }
  if (where._tag === "Remote" && Predicate.isTagged(error, "RemoteError")) {
    const { detail, remedy } = Explain.explain(error)
    return new RuntimeError({ detail: `${where.url}: ${detail}`, remedy })
  }
  // What was wrong with the command itself is no failure of the runtime.
  return error instanceof UsageError || error instanceof RuntimeError ? error : new RuntimeError(Explain.explain(error))
}
