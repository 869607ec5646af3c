/**
 * What stands in the way of a backend before it is used: its package or program, its key, its address, whether the vendor
 * answers there, and the price of its model. Nothing is generated and nothing is paid for; a vendor is asked once, and
 * only where there is a key to ask with or none is needed. A key is never part of what is told.
 */
import { Config, Context, Effect, Option, Redacted, Result, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { Prices } from "../cost/index.ts"
import { Egress } from "../governor/index.ts"
import { type Name, names } from "./Backend.ts"
import * as Failure from "./Failure.ts"
import * as Fetch from "./Fetch.ts"
import type * as Setup from "./Setup.ts"
import type * as Vendor from "./Vendor.ts"

/** A package or a program, and which version of it there is; `null` when it must be installed first. */
export const Part = Schema.Struct({
  name: Schema.String,
  version: Schema.NullOr(Schema.String),
  /** Empty when nothing is to be done. */
  remedy: Schema.String
})
export type Part = typeof Part.Type

/** Whether there is a key. `elsewhere`: none in the variables, and the vendor's SDK may know of other places. */
export const Key = Schema.Struct({
  state: Schema.Literals(["set", "missing", "not_needed", "elsewhere"]),
  /** The variable that holds it, or should. */
  variable: Schema.NullOr(Schema.String),
  remedy: Schema.String
})
export type Key = typeof Key.Type

/** Whether the vendor answers. `refused`: it does, and would not serve the model or the key. */
export const Reach = Schema.Struct({
  state: Schema.Literals(["reachable", "refused", "unreachable", "not_asked"]),
  detail: Schema.String
})
export type Reach = typeof Reach.Type

/** Whole micro-dollars for a million tokens, as of a day. */
export const Price = Schema.Struct({
  asOf: Schema.String,
  inputPerMillion: Schema.Natural,
  outputPerMillion: Schema.Natural
})
export type Price = typeof Price.Type

/** How a backend stands. */
export const Standing = Schema.Struct({
  backend: Schema.Literals(names),
  /** Nothing that was looked at stands in its way. */
  ready: Schema.Boolean,
  model: Schema.NullOr(Schema.String),
  parts: Schema.Array(Part),
  key: Key,
  /** Where the vendor is asked; `null` where there is nobody to ask, or the address cannot be used. */
  endpoint: Schema.NullOr(Schema.String),
  reach: Reach,
  /** `null` when the model has none: it is not called in enforced mode. */
  price: Schema.NullOr(Price),
  /** Actor classes that may use it. */
  classes: Schema.Array(Schema.String),
  /** Groups of readers whose data may be sent there. */
  covers: Schema.Array(Schema.String),
  /** What to do, first things first. */
  remedies: Schema.Array(Schema.String)
})
export type Standing = typeof Standing.Type

/** Which packages there are. */
export class Packages extends Context.Service<Packages, {
  /** The version of a package that programs here would load; `undefined` when there is none. */
  readonly version: (name: string) => Effect.Effect<string | undefined>
}>()("aosiq/backend/Check/Packages") {}

/** A request that costs nothing. */
export interface Question {
  readonly url: string
  readonly method: "GET" | "POST"
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** What an answer proves: that key and model are good, or only that somebody answers. */
  readonly proves: "model" | "answer"
}

/** What a vendor's layer says about itself, so that its backend can be looked at. */
export interface Subject {
  readonly backend: Name
  readonly packages: ReadonlyArray<string>
  /** A program in place of a package: its name, how to get it, and its version if it is there. */
  readonly program?: {
    readonly name: string
    readonly remedy: string
    readonly version: Effect.Effect<string | undefined>
  }
  /** The variables that may hold the key; the first that is set does. */
  readonly keys: ReadonlyArray<string>
  /** Whether it works without a key in the variables. */
  readonly keyless: "never" | "always" | "elsewhere"
  readonly endpoint: (model: string) => Effect.Effect<string, Setup.SetupError>
  readonly question: (asked: {
    readonly endpoint: string
    readonly model: string
    readonly variable: string | undefined
    readonly key: string | undefined
  }) => Question
}

/** What to look at. */
export interface Order {
  readonly subject: Subject
  readonly model: string
  /** Actor classes with the backends that each may use. */
  readonly classes: ReadonlyArray<Listed>
  /** Which groups of readers each backend covers. */
  readonly covers: Egress.Table
  /** Whether the vendor may be asked. */
  readonly network: boolean
  /** Milliseconds that the vendor has for an answer; default `defaultTimeoutMs`. */
  readonly timeoutMs?: number
}
/** A class, as far as it matters here. */
export interface Listed {
  readonly name: string
  readonly backends: ReadonlyArray<string>
}

/** Milliseconds that a vendor has for an answer, unless set. */
export const defaultTimeoutMs = 5000

/** Looks at one backend; never fails, and never hands out the key. */
export const look = (order: Order): Effect.Effect<Standing, never, Packages | Prices.Prices> =>
  Effect.gen(function*() {
    const { model, network, subject } = order
    const parts = yield* partsOf(subject)
    const found = yield* keyOf(subject.keys)
    const key = keyStanding(subject, found?.variable)
    const address = yield* Effect.result(subject.endpoint(model))
    const isAsked = network && Result.isSuccess(address) && (key.state === "set" || key.state === "not_needed")
    const reach = isAsked
      ? yield* ask(
        subject.question({ endpoint: address.success, model, variable: found?.variable, key: found?.key }),
        order
      )
      : notAsked(network ? "there is nothing to ask with" : "the network was left out")
    return standing(order, { parts, key, address, reach, price: yield* priceOf(subject, model) })
  })

/** The rules of an actor class, which need nothing and nobody. */
export const offline = ({ classes, covers }: Pick<Order, "classes" | "covers">, asOf: string): Standing => ({
  backend: "offline",
  ready: true,
  model: null,
  parts: [],
  key: { state: "not_needed", variable: null, remedy: "" },
  endpoint: null,
  reach: notAsked("there is nobody to ask"),
  price: { asOf, inputPerMillion: 0, outputPerMillion: 0 },
  classes: allowed(classes, "offline"),
  covers: Egress.coveredBy(covers, "offline"),
  remedies: []
})

// internal

/** Bytes of an answer that are read. */
const maxAnswerBytes = 1024 * 1024
const perMillion = 1_000_000

const notAsked = (detail: string): Reach => ({ state: "not_asked", detail })

const allowed = (classes: ReadonlyArray<Listed>, backend: Name) =>
  classes.filter(({ backends }) => backends.includes(backend)).map(({ name }) => name)

const partsOf = (subject: Subject): Effect.Effect<ReadonlyArray<Part>, never, Packages> =>
  Effect.gen(function*() {
    const { version } = yield* Packages
    const part = (name: string, remedy: string, found: string | undefined): Part => ({
      name,
      version: found ?? null,
      remedy: found === undefined ? remedy : ""
    })
    const packages = yield* Effect.forEach(
      subject.packages,
      (name) => Effect.map(version(name), (found) => part(name, `run npm install ${name}`, found))
    )
    if (subject.program === undefined) return packages
    const { name, remedy, version: program } = subject.program
    return [...packages, part(name, remedy, yield* program)]
  })

const keyOf = (variables: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    for (const variable of variables) {
      const found = yield* Effect.option(Config.Redacted(variable))
      if (Option.isSome(found) && Redacted.value(found.value).trim() !== "") {
        return { variable, key: Redacted.value(found.value) }
      }
    }
    return undefined
  })

const keyStanding = ({ keyless, keys }: Subject, variable: string | undefined): Key => {
  if (variable !== undefined) return { state: "set", variable, remedy: "" }
  const first = keys[0] ?? null
  if (keyless === "always") return { state: "not_needed", variable: first, remedy: "" }
  return keyless === "elsewhere"
    ? { state: "elsewhere", variable: first, remedy: "" }
    : { state: "missing", variable: first, remedy: `set ${keys.join(" or ")}` }
}

const priceOf = ({ backend }: Subject, model: string) =>
  Effect.map(Prices.Prices, ({ asOf, price }): Result.Result<Price, Prices.UnknownModel> => {
    const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    return Result.gen(function*() {
      const inputPerMillion = yield* price(backend, model, { ...none, input: perMillion })
      const outputPerMillion = yield* price(backend, model, { ...none, output: perMillion })
      return { asOf, inputPerMillion, outputPerMillion }
    })
  })

/** Asks once. What the other side says of itself is not quoted: it may be anybody. */
const ask = (question: Question, { model, timeoutMs = defaultTimeoutMs }: Order): Effect.Effect<Reach> =>
  Effect.gen(function*() {
    const fetch = yield* FetchHttpClient.Fetch
    const { body, headers, method, proves, url } = question
    const answered = Effect.tryPromise({
      try: (signal) =>
        Fetch.under(fetch, { signal, accepts: [""], maxBytes: maxAnswerBytes })(url, {
          method,
          headers,
          ...(body === undefined ? {} : { body })
        }).then((response) => response.body?.cancel()),
      catch: (error): Vendor.Thrown => ({ error })
    })
    return yield* answered.pipe(
      Effect.as<Reach>({ state: "reachable", detail: proves === "model" ? `it has ${model}` : "it answers" }),
      Effect.catch(({ error }) => Effect.succeed(failed(error, question, model))),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.succeed<Reach>({ state: "unreachable", detail: `no answer in ${timeoutMs} ms` })
      })
    )
  })

const failed = (error: unknown, { proves, url }: Question, model: string): Reach => {
  const cause = Fetch.causeOf(error)
  if (cause instanceof Fetch.Refused) {
    const { status } = cause
    if (proves === "answer") return { state: "reachable", detail: "it answers; the key was not tried" }
    if (status === 401 || status === 403) return { state: "refused", detail: `the key is not accepted (${status})` }
    return {
      state: "refused",
      detail: status === 404 ? `it has no model ${model}` : `it answers with status ${status}`
    }
  }
  // The body of a good answer need not be one that is read.
  if (cause instanceof Fetch.Unfit) return { state: "reachable", detail: "it answers" }
  const { reason } = Failure.thrown(error, url)
  const detail = "description" in reason && reason.description !== undefined ? reason.description : "no connection"
  return { state: "unreachable", detail }
}

const standing = ({ classes, covers, model, subject }: Order, seen: {
  readonly parts: ReadonlyArray<Part>
  readonly key: Key
  readonly address: Result.Result<string, Setup.SetupError>
  readonly reach: Reach
  readonly price: Result.Result<Price, Prices.UnknownModel>
}): Standing => {
  const { address, key, parts, price, reach } = seen
  const remedies = [
    ...parts.map(({ remedy }) => remedy),
    key.remedy,
    Result.isFailure(address) ? address.failure.message : "",
    reach.state === "refused" ? `${reach.detail}: check the key and the model's name` : "",
    reach.state === "unreachable" ? `${reach.detail}: check the address and the network` : "",
    Result.isFailure(price) ? price.failure.remedy : ""
  ].filter((remedy) => remedy !== "")
  return {
    backend: subject.backend,
    ready: remedies.length === 0,
    model,
    parts,
    key,
    endpoint: Result.isSuccess(address) ? address.success : null,
    reach,
    price: Result.isSuccess(price) ? price.success : null,
    classes: allowed(classes, subject.backend),
    covers: Egress.coveredBy(covers, subject.backend),
    remedies
  }
}
