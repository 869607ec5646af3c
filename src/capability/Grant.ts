/**
 * A grant is authority as the compiler sees it: a value that holds named capabilities and discharges exactly those from a
 * program's requirements. It can be narrowed and never widened. At run time a grant is the terms of a signed token
 * (`Claims`); the compiler is never the only guard.
 */
import { Schema, type Types } from "effect"
import * as Capability from "./Capability.ts"
import { fanOut, type Limits, standardFanOut } from "./Claims.ts"

/** The terms that go with the capabilities into the token. */
export interface Terms {
  /** Ceiling of the session, micro-dollars. */
  readonly budgetMicroUsd: number
  /** Lifetime of the token, seconds. */
  readonly lifetimeSeconds: number
  /** Further delegations allowed. */
  readonly depth: number
  readonly limits: Limits
}

/**
 * What a grant has when nothing else is said: one dollar, three delegations, and twenty-five hours, so that an approval
 * which takes its whole day still finds a token that is good for an hour.
 */
export const defaultTerms: Terms = {
  budgetMicroUsd: 1_000_000,
  lifetimeSeconds: 90_000,
  depth: 3,
  limits: { cpuMs: 60_000, memoryMiB: 512, outputBytes: 1_048_576, wallMs: 120_000, ...standardFanOut }
}

/** A name that is not in the grant was asked for; nothing was granted. */
export class NotHeld extends Schema.TaggedError<NotHeld>()("NotHeld", { capability: Schema.String }) {}

/** Authority over `Held`; unforgeable, invariant, shrink-only. Made by `make`, `narrow` and templates. */
export class Grant<in out Held extends string> {
  declare readonly _Held: Types.Invariant<Held>
  readonly #names: ReadonlyArray<Capability.Name>
  readonly terms: Terms

  private constructor(names: ReadonlyArray<Capability.Name>, terms: Terms) {
    this.#names = names
    this.terms = terms
  }

  /** Root authority, for whoever configures the system. Actors never call this: they narrow what they were given. */
  static make<const Names extends Capability.Name = never>(
    names: ReadonlyArray<Names>,
    terms: Partial<Terms> = {}
  ): Grant<Names> {
    return new Grant<Names>(names, { ...defaultTerms, ...terms })
  }

  /** The names held, as text. */
  get names(): ReadonlyArray<Capability.Name> {
    return this.#names
  }

  /** A grant of some of the names; one that is not covered does not compile, and is dropped if forced. */
  narrow<const Sub extends string = never>(
    names: ReadonlyArray<Sub & Subset<Sub, Held>>,
    terms: Partial<Terms> = {}
  ): Grant<Sub> {
    const met = names.flatMap((asked) =>
      Capability.isName(asked) ? this.#names.flatMap((held) => Capability.intersect(held, asked) ?? []) : []
    )
    return new Grant<Sub>([...new Set(met)], shrink(this.terms, terms))
  }
}

/** Makes "not a subset" readable in the compiler's message. */
export type Subset<Sub extends string, Held extends string> = Capability.Complaint<
  "this grant does not hold",
  Capability.Missing<Sub, Held>
>

/** Makes "the child needs more than the parent holds" readable; attach it to the grant's argument. */
export type Fits<Wanted extends string, Held extends string> =
  & Capability.Complaint<"no grant fits an actor whose capabilities were erased", Capability.Open<Wanted>>
  & Capability.Complaint<"no actor fits a grant whose names are known only at run time", Capability.Open<Held>>
  & Capability.Complaint<"the actor needs capabilities this grant does not hold", Capability.Missing<Wanted, Held>>

// internal

const lower = (held: number, asked: number | undefined) => Math.min(held, asked ?? held)

const shrink = (held: Terms, asked: Partial<Terms>): Terms => ({
  budgetMicroUsd: Math.min(held.budgetMicroUsd, asked.budgetMicroUsd ?? held.budgetMicroUsd),
  lifetimeSeconds: Math.min(held.lifetimeSeconds, asked.lifetimeSeconds ?? held.lifetimeSeconds),
  depth: Math.min(held.depth, asked.depth ?? held.depth),
  limits: {
    cpuMs: Math.min(held.limits.cpuMs, asked.limits?.cpuMs ?? held.limits.cpuMs),
    memoryMiB: Math.min(held.limits.memoryMiB, asked.limits?.memoryMiB ?? held.limits.memoryMiB),
    outputBytes: Math.min(held.limits.outputBytes, asked.limits?.outputBytes ?? held.limits.outputBytes),
    wallMs: Math.min(held.limits.wallMs, asked.limits?.wallMs ?? held.limits.wallMs),
    children: lower(fanOut(held.limits).children, asked.limits?.children),
    descendants: lower(fanOut(held.limits).descendants, asked.limits?.descendants)
  }
})
