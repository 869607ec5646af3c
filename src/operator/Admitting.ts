/** The operations by which callers are let in, and kept out. */
import { Effect, Redacted } from "effect"
import { Callers } from "../session/index.ts"
import type { Desk } from "./Desk.ts"
import { failed } from "./Failure.ts"
import { may } from "./May.ts"
import type { CallerView, GivenView } from "./Operations.ts"

/** They, over the callers of the installation. */
export const make = Effect.map(Callers.Callers, (callers) => ({
  callers_list: may(
    "callers_list",
    () => Effect.mapBoth(callers.list, { onFailure: failed, onSuccess: (list) => list.map(view) })
  ),
  caller_add: may(
    "caller_add",
    ({ definition, knownBy }, { name: by }) =>
      Effect.mapBoth(
        knownBy === undefined ? callers.add(definition, by) : callers.addKnown(definition, knownBy, by),
        { onFailure: failed, onSuccess: given }
      )
  ),
  caller_bind: may(
    "caller_bind",
    (order, { name: by }) => Effect.mapBoth(callers.bind({ ...order, by }), { onFailure: failed, onSuccess: view })
  ),
  caller_rotate: may(
    "caller_rotate",
    (order, { name: by }) => Effect.mapBoth(callers.rotate({ ...order, by }), { onFailure: failed, onSuccess: given })
  ),
  caller_revoke: may(
    "caller_revoke",
    (order, { name: by }) => Effect.mapBoth(callers.revoke({ ...order, by }), { onFailure: failed, onSuccess: view })
  )
} satisfies Partial<Desk["Service"]>))

// internal

const view = ({ caller, credentials }: Callers.Standing): CallerView => ({
  ...caller,
  credentials: credentials.map(({ createdAt, expiresAt, id, knownBy }) => ({
    id,
    createdAt,
    expiresAt,
    ...knownBy === undefined ? {} : { knownBy }
  }))
})

const given = (standing: Callers.Standing | Callers.Given): GivenView => ({
  ...view(standing),
  token: "token" in standing ? Redacted.value(standing.token) : null
})
