/**
 * A program vouches for a stranger's value, for a purpose and a time, on behalf of whoever wrote it. It is an act with rows
 * of its own: audited, and answered from the log in a re-run. What it lets through is what it names, until its time is up;
 * the session has read a stranger's text as before. No model has a way to it.
 */
import { Clock, DateTime, Effect, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Flow, type Labelled } from "../trust/index.ts"
import { endorsing } from "./Flowing.ts"
import { Governor } from "./Governor.ts"
import type { GovernorError } from "./Refusal.ts"
import { Session } from "./Session.ts"

/** What the value is good for: acts, and their arguments. */
export interface Purpose {
  readonly for: Flow.Endorsement["for"]
  readonly reason: string
  readonly lifetimeMs: number
}

/** Vouches; gives the value as one that a trusted parameter takes. */
export const endorse = <A extends string>(
  value: A | Labelled.Untrusted<A>,
  purpose: Purpose
): Effect.Effect<Labelled.Trusted<A>, GovernorError, Governor | Session | Digest.Digest> =>
  Effect.gen(function*() {
    const governor = yield* Governor
    const digest = yield* Digest.Digest
    const { actor } = yield* Session
    const { for: uses, lifetimeMs, reason } = purpose
    const json: Schema.Json = { value, for: { ...uses }, reason, lifetimeMs }
    yield* governor.act({
      name: endorsing,
      description: "vouches for a value",
      capabilities: [],
      reversible: true,
      schema: digest.sha256(endorsing),
      decode: Effect.succeed({ args: purpose, json }),
      reserve: 0,
      bill: () => ({ costMicroUsd: 0 }),
      timeoutMs: 1000,
      trust: "trusted",
      run: () =>
        Effect.map(Clock.currentTimeMillis, (now): Flow.Endorsement => ({
          name: endorsing,
          by: actor.name,
          reason,
          value,
          for: uses,
          until: DateTime.formatIso(DateTime.makeUnsafe(now + lifetimeMs))
        })),
      success: { encode: (made) => encoded(made), decode: (json) => decoded(json) },
      failure: { encode: () => Effect.fail("it does not fail"), decode: () => Effect.fail("it does not fail") }
    })
    return value as Labelled.Trusted<A> // The row says so now; a brand is in types alone.
  })

// internal

const codec = Schema.toCodecJson(Flow.Endorsement)
const encoded = (made: Flow.Endorsement) => Effect.mapError(Schema.encodeEffect(codec)(made), ({ message }) => message)
const decoded = (json: Schema.Json) => Effect.mapError(Schema.decodeEffect(codec)(json), ({ message }) => message)
