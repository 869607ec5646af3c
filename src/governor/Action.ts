/** What an actor asks the Governor to do: a tool call, a model call, a spawn; described as data, run as an effect. */
import type { Effect, Schema } from "effect"
import type { Digest, Row } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import type { Flow, Label } from "../trust/index.ts"
import type { Permit } from "./Permit.ts"
import type { GovernorError } from "./Refusal.ts"

/** How an act's bill is written: what it cost, and the tokens of a model call. Micro-dollars. */
export interface Bill {
  readonly costMicroUsd: number
  readonly usage?: typeof Row.Outcome.Type["usage"] | undefined
}

/**
 * One act. `Args` are its decoded arguments, `A` and `E` what the handler answers, `R` what the handler needs; `Caps` and
 * `Reversible` say in the type what asking for it requires.
 */
export interface Action<Args, A, E, R, Caps extends string = string, Reversible extends boolean = boolean> {
  readonly name: string
  readonly description: string
  /** All of them must be held. */
  readonly capabilities: ReadonlyArray<Caps & Capability.Name>
  /** The backend a model call goes to. */
  readonly backend?: string | undefined
  readonly reversible: Reversible
  /** Hash of the definition: a changed tool needs a new approval. */
  readonly schema: Digest.Hash
  /** Arguments as JSON and decoded; a failure says what is wrong with them. */
  readonly decode: Effect.Effect<{ readonly args: Args; readonly json: Schema.Json }, string>
  /**
   * Whether it is to be had just now; looked at once the token admits it, and before anybody is asked. It adds nothing to
   * the session's chain unless it refuses.
   */
  readonly ready?: Effect.Effect<void, Unready> | undefined
  /** Upper bound of the cost, micro-dollars. */
  readonly reserve: number
  /**
   * A closer bound, micro-dollars, for when `reserve` does not fit. It is asked for once, after every other check, on a path
   * of its own, and may act itself. An act that cannot be undone has none: people were shown what it may cost.
   */
  readonly closer?: Effect.Effect<number, GovernorError, R> | undefined
  readonly bill: (elapsedMs: number, answer: A | undefined) => Bill
  readonly timeoutMs: number
  /** Whether the result is ours or a stranger's text, as a whole or field by field. */
  readonly trust: Label.Declared
  /** What it does to the world outside of its session; nothing, unless set. */
  readonly sinks?: ReadonlyArray<Flow.Sink> | undefined
  /** Groups that its results are for; see `Egress`. */
  readonly readers?: Label.Readership | undefined
  /** The actor's own words and stamps, for the approver. */
  readonly reasons?: { readonly text: string; readonly evidence: ReadonlyArray<string> } | undefined
  readonly run: (args: Args, permit: Permit<Caps>) => Effect.Effect<A, E, R>
  /** Whether it is safe to run again under the same idempotency key when its outcome was lost; never, unless set. */
  readonly idempotent?: Idempotency | undefined
  /** Looks whether an attempt whose outcome was lost took effect; changes nothing. */
  readonly probe?: ((args: Args, permit: Permit<Caps>) => Effect.Effect<Probed<A>, E, R>) | undefined
  /** Result and failure as JSON and back: what the log keeps and what a re-run is answered with. */
  readonly success: Codec<A>
  readonly failure: Codec<E>
}

/** Why an act is not to be had, and what would help. */
export interface Unready {
  readonly detail: string
  readonly remedy: string
}

/** How long the other side knows an idempotency key, from the first attempt on; `true` for ever. */
export type Idempotency = boolean | { readonly withinMs: number }

/**
 * What a probe found: the act took effect, with this result; it did not, and no attempt so far can take effect any more;
 * or it cannot tell.
 */
export type Probed<A> =
  | { readonly _tag: "Done"; readonly result: A }
  | { readonly _tag: "NotDone" }
  | { readonly _tag: "Unknown" }

/** A value as JSON and back. A failure says why it cannot be. */
export interface Codec<A> {
  readonly encode: (value: A) => Effect.Effect<Schema.Json, string>
  readonly decode: (json: Schema.Json) => Effect.Effect<A, string>
}

/** What an act came to: the answer, and the stamp a claim can cite. */
export interface Outcome<A> {
  readonly value: A
  readonly stamp: Row.Stamp
  readonly trust: "trusted" | "untrusted"
}
