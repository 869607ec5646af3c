/** A runtime in memory with a shop on it, behind a real server on this machine, and callers of every role. */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer, Redacted, Schema } from "effect"
import { HttpServer } from "effect/http"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Memory } from "../../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../../src/actor/index.ts"
import { defaultTerms } from "../../../src/capability/index.ts"
import type { Limits } from "../../../src/door/http/index.ts"
import { Caller, Callers } from "../../../src/session/index.ts"
import { Tool } from "../../../src/tool/index.ts"

const Refund = Tool.make("refund", {
  description: "Pays money back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})
const Look = Tool.make("look", {
  description: "Looks an order up",
  capabilities: ["tool:look"],
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})
const Order = Schema.Struct({ order: Schema.String })

/** Pays an order back, once people have agreed. */
export const Shop = DeterministicActor.make("Shop", {
  description: "pays back what was ordered",
  input: Order,
  output: Schema.String,
  tools: [Refund],
  run: ({ order }) => Tool.call(Refund, { order })
})
/** Looks an order up, and is done. */
export const Clerk = DeterministicActor.make("Clerk", {
  description: "looks an order up",
  input: Order,
  output: Schema.String,
  tools: [Look],
  run: ({ order }) => Tool.call(Look, { order })
})

/** What was done, in order. */
export const done: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(Refund, ({ order }) => {
    done.push(`refund ${order}`)
    return order.startsWith("lost") ? Effect.die("nobody knows") : Effect.succeed("paid")
  }),
  Tool.layer(Look, ({ order }) => Effect.sync(() => (done.push(`look ${order}`), `order ${order}`)))
)

/** The shop with its desk, over a runtime. */
export const shopOn = <A, E, R>(runtime: Layer.Layer<A, E, R>) =>
  Memory.layerDesk.pipe(
    Layer.provideMerge(Layer.merge(Actor.layer(Shop), Actor.layer(Clerk))),
    Layer.provideMerge(handlers),
    Layer.provideMerge(runtime),
    Layer.provideMerge(NodeServices.layer)
  )
/** The same in memory, with rules on approvals of one's own. */
export const runtimeUnder = (policy: Parameters<typeof Memory.layer>[0]) => shopOn(Memory.layer(policy))
export const runtime = runtimeUnder({})

/** The runtime behind a server that listens on any free port. */
export const served = (limits: Partial<Limits.Limits> = {}) =>
  HttpDoor.layer({ port: 0, limits }).pipe(Layer.provideMerge(runtime))

/** Where the server is. */
export const address = Effect.map(HttpServer.HttpServer, HttpDoor.urlOf)

/** A ceiling of so many names, with the usual terms. */
export const ceiling = (...capabilities: Caller.Ceiling["capabilities"]): Caller.Ceiling => ({
  ...defaultTerms,
  capabilities
})

/** Lets a caller in and gives its token. */
export const letIn = Effect.fnUntraced(function*(
  name: string,
  role: Caller.Role,
  holds: Caller.Ceiling = ceiling("tool:refund", "tool:look")
) {
  const callers = yield* Callers.Callers
  const { token } = yield* callers.add({ name: Caller.Name.make(name), role, ceiling: holds }, "local:ada")
  return Redacted.value(token)
})

/** What a request was answered. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Whatever it is: tests look into it.
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is what is tested
  readonly json: any
}

/** Sends one request as it is. */
export const send = (url: string, init: RequestInit = {}): Effect.Effect<Answer> =>
  Effect.promise(() => fetched(url, init))

/** Asks in somebody's name. */
export const ask = (
  token: string,
  method: string,
  url: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<Answer> =>
  send(url, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    ...body === undefined ? {} : { body: JSON.stringify(body) }
  })

// internal

const fetched = async (url: string, init: RequestInit): Promise<Answer> => {
  // oxlint-disable-next-line no-restricted-globals -- a request as any client sends it, and none of our own making
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = response.headers.get("content-type")?.endsWith("json") === true && text !== ""
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
}
