/**
 * Who asks for an operation. Every operation needs to know, and takes it from nowhere else: a door finds out who is at it,
 * and provides that. What is recorded of an operation carries this name.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { Headers } from "effect/http"
import { RpcMiddleware } from "effect/rpc"
import { Caller } from "../session/index.ts"

/** Somebody at a door: a name, what it is there for, and what it may hand to sessions. */
export const Identity = Schema.Struct({
  name: Schema.NonEmptyString,
  role: Caller.Role,
  /** `null` for whoever owns the installation. */
  ceiling: Schema.NullOr(Caller.Ceiling)
})
export type Identity = typeof Identity.Type

/** The one who asks. */
export class Asker extends Context.Service<Asker, Identity>()("aosiq/operator/Asker") {}

/** Finds out who asks, where operations are called by message. */
export class Asked extends RpcMiddleware.Service<Asked, { provides: Asker }>()("aosiq/operator/Asker/Asked") {}

/** The header in which whoever calls says who gives the order. */
export const header = "aosiq-by"

/**
 * Believes whoever calls: for a door that only the owner of the installation can reach. Where several people share it, each
 * says who gives the order.
 */
export const layerOwner = (name: string): Layer.Layer<Asked> =>
  Layer.succeed(Asked, (effect, { headers }) =>
    Effect.provideService(effect, Asker, {
      name: said(headers) ?? name,
      role: "admin",
      ceiling: null
    }))

// internal

const said = (headers: Headers.Headers): string | undefined => {
  const name = headers[header]
  return name === undefined || name === "" ? undefined : name
}
