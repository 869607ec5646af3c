/**
 * Who asks for an operation. Every operation needs to know, and takes it from nowhere else: a door finds out who is at it,
 * and provides that. What is recorded of an operation carries this name.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import type { Headers } from "effect/http"
import { RpcMiddleware } from "effect/rpc"
import { Caller, Callers } from "../session/index.ts"
import { OperationError } from "./OperationError.ts"

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
export class Asked extends RpcMiddleware.Service<Asked, { provides: Asker }>()("aosiq/operator/Asker/Asked", {
  error: OperationError
}) {}

/** The header in which whoever calls says who gives the order. */
export const header = "aosiq-by"

/** The header with the token of a caller who asks by way of the owner's door; it goes before the name. */
export const tokenHeader = "aosiq-token"

/**
 * Believes whoever calls: for a door that only the owner of the installation can reach. Where several people share it, each
 * says who gives the order.
 */
export const layerOwner = (name: string): Layer.Layer<Asked> =>
  Layer.succeed(Asked, (effect, { headers }) => Effect.provideService(effect, Asker, owner(name, headers)))

/** The same; but whoever shows a token of a caller is that caller, and no more. */
export const layerOwnerOrCaller = (name: string): Layer.Layer<Asked, never, Callers.Callers> =>
  Layer.effect(
    Asked,
    Effect.map(Callers.Callers, (callers) =>
      Asked.of((effect, { headers }) => {
        const token = headers[tokenHeader]
        return token === undefined
          ? Effect.provideService(effect, Asker, owner(name, headers))
          : Effect.flatMap(
            Effect.mapError(callers.authenticate(Redacted.make(token)), turnedAway),
            ({ ceiling, name, role }) => Effect.provideService(effect, Asker, { name, role, ceiling })
          )
      }))
  )

// internal

const owner = (name: string, headers: Headers.Headers): Identity => ({
  name: said(headers) ?? name,
  role: "admin",
  ceiling: null
})

const said = (headers: Headers.Headers): string | undefined => {
  const name = headers[header]
  return name === undefined || name === "" ? undefined : name
}

const turnedAway = ({ reason }: Callers.CallerError): OperationError =>
  reason._tag === "InsideActor"
    ? new OperationError({ kind: "refused", detail: "actors are not let in", remedy: "people and programs are" })
    : new OperationError({
      kind: reason._tag === "Unrecorded" ? "unavailable" : "refused",
      detail: reason.detail,
      remedy: reason.remedy
    })
