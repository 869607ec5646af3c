/**
 * One independent part of what is read about a machine: the signals it can give, and how to read them.
 *
 * A part that fails becomes a gap and the other parts are kept. Values are in the unit beside them; the instant is
 * added by whoever runs the part.
 */
import type { Effect } from "effect"
import type { Gap, Signal, Unit } from "../../src/agents/advisor/Source.ts"

/** One number, now. */
export interface Reading {
  readonly signal: Signal
  readonly resource: string
  readonly unit: Unit
  readonly origin: string
  readonly value: number
}

/** What a part could read, and what it could not. */
export interface Answer {
  readonly readings: ReadonlyArray<Reading>
  readonly gaps: ReadonlyArray<Gap>
}

/** Run only when one of its `signals` is wanted. */
export interface Part {
  readonly signals: ReadonlyArray<Signal>
  readonly read: Effect.Effect<Answer, Gap>
}

/** The resource of what concerns the machine as a whole. */
export const host = "host"

/** An answer without gaps. */
export const answer = (readings: ReadonlyArray<Reading>): Answer => ({ readings, gaps: [] })

/** A gap of this source, with `what` could not be read. */
export const gap = (what: string, detail: string, remedy: string): Gap => ({ source: `host:${what}`, detail, remedy })

/** Holds a quotient of noisy counters within 0 and 1. */
export const ratio = (part: number, whole: number): number => whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0
