/**
 * An attempt whose outcome was lost: the act may have taken effect, or not. Attempts at one act share their place and
 * their idempotency key; the first is keyed by the place itself, the nth after it by `place~n`.
 */
import { Effect, type Schema } from "effect"
import { type Digest, Row } from "../audit/index.ts"
import { Label } from "../trust/index.ts"
import type { Action, Codec, Idempotency, Probed } from "./Action.ts"

/** Attempts that a probe or an idempotency key may lead to, over all runs; after them an operator decides. */
export const maxRepeats = 5

/** Which act is meant: the same for all attempts at it. */
export interface Identity {
  readonly session: string
  readonly place: string
  readonly act: string
  readonly args: Digest.Hash
}

/** The key by which the other side of a tool can tell a repeated attempt from another act. */
export const idempotencyKey = (digest: Digest.Digest["Service"], { act, args, place, session }: Identity): string =>
  digest.sha256(digest.canonical({ act, args, place, session }))

/** How the `attempt`th attempt is keyed, counted from 0. */
export const keyOf = (place: string, attempt: number): string => attempt === 0 ? place : `${place}~${attempt}`

/** The place of an attempt. It ends with an ordinal, so that no part of it is taken for an attempt's number. */
export const placeOf = (key: string): string => key.replace(/~\d+$/, "")

/** How operators name the attempt: the stamp of its intent. */
export const nameOf = (session: string, intent: number): Row.Stamp => Row.stamp({ session, seq: intent })

/** Whether an outcome leaves open if the act took effect. What can be undone is simply asked for again. */
export const isOpen = (reversible: boolean, status: (typeof Row.Outcome.Type)["status"]): boolean =>
  status === "interrupted" || (!reversible && (status === "timed_out" || status === "crashed"))

/** Whether the other side still knows the key of an act that was first tried at `firstAt`. */
export const isKeyed = (idempotent: Idempotency | undefined, firstAt: number, now: number): boolean =>
  typeof idempotent === "object" ? now - firstAt < idempotent.withinMs : idempotent === true

/** What a store is told about an act, so that it refuses to repeat one that it should not. */
export const repeatOf = (
  action: { readonly reversible: boolean; readonly idempotent?: Idempotency | undefined }
): "always" | "keyed" | "never" =>
  action.reversible ? "always" : action.idempotent === undefined || action.idempotent === false ? "never" : "keyed"

/** The probe of an action as an action of its own: on the same arguments, under the same capabilities, free of charge. */
export const probing = <Args, A, E, R>(
  action: Action<Args, A, E, R>,
  probe: NonNullable<Action<Args, A, E, R>["probe"]>,
  decoded: { readonly args: Args; readonly json: Schema.Json }
): Action<Args, Probed<A>, E, R> => ({
  name: `probe_${action.name}`,
  description: `looks whether ${action.name} took effect`,
  capabilities: action.capabilities,
  backend: action.backend,
  reversible: true,
  schema: action.schema,
  decode: Effect.succeed(decoded),
  reserve: 0,
  bill: () => ({ costMicroUsd: 0 }),
  timeoutMs: action.timeoutMs,
  trust: Label.overall(action.trust),
  run: probe,
  success: codecOf(action.success),
  failure: action.failure
})

// internal

const codecOf = <A>(success: Codec<A>): Codec<Probed<A>> => ({
  encode: (found) =>
    found._tag === "Done"
      ? Effect.map(success.encode(found.result), (result) => ({ _tag: found._tag, result }))
      : Effect.succeed({ _tag: found._tag }),
  // Probes of earlier runs are not answered from the log: each run looks for itself.
  decode: () => Effect.fail("a probe is not answered from the log")
})
