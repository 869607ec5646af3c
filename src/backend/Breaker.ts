/**
 * A circuit breaker for each backend of this process: one that failed several times in a while is left alone, then asked once to
 * see whether it is well again. It is memory of this process alone, and decides nothing by itself: a plan asks it whom to
 * pass over. Instants are epoch milliseconds of the clock.
 */
import { Clock, Context, Effect, Metric } from "effect"

/** When a circuit opens, and for how long. */
export interface Policy {
  /** Failures within `windowMs` that open it. */
  readonly failures: number
  readonly windowMs: number
  /** Milliseconds that a backend is left alone before it is asked once more. */
  readonly openMs: number
}

/** Five failures in a minute; half a minute alone. */
export const standard: Policy = { failures: 5, windowMs: 60_000, openMs: 30_000 }

/** `closed`: asked as ever. `open`: left alone. `half_open`: its time is up, and one call may see how it is. */
export type Phase = "closed" | "open" | "half_open"

/** One circuit. */
export interface Circuit {
  /** When the failures that still count were. */
  readonly failures: ReadonlyArray<number>
  /** Since when it is open; `null` while it is closed. */
  readonly openedAt: number | null
  /** When the call that sees how the backend is began; `null` when there is none. */
  readonly probedAt: number | null
}

/** A circuit that nothing happened on. */
export const closed: Circuit = { failures: [], openedAt: null, probedAt: null }

/** Where a circuit stands. */
export const phase = ({ openedAt }: Circuit, { openMs }: Policy, now: number): Phase =>
  openedAt === null ? "closed" : now - openedAt < openMs ? "open" : "half_open"

/** The circuit with a call on it; `null` when the backend is to be left alone. */
export const enter = (circuit: Circuit, policy: Policy, now: number): Circuit | null => {
  const at = phase(circuit, policy, now)
  if (at === "closed") return circuit
  // A probe that never came back does not keep the backend out for ever.
  const isProbed = circuit.probedAt !== null && now - circuit.probedAt < policy.openMs
  return at === "open" || isProbed ? null : { ...circuit, probedAt: now }
}

/** What a call came to: `neither` says nothing of the backend, as when the call was refused or interrupted. */
export type End = "failed" | "succeeded" | "neither"

/** The circuit after a call ended. */
export const leave = (circuit: Circuit, end: End, policy: Policy, now: number): Circuit => {
  if (end === "succeeded") return closed
  if (end === "neither") return { ...circuit, probedAt: null }
  const failures = [...circuit.failures.filter((at) => now - at < policy.windowMs), now].slice(-policy.failures)
  const opens = circuit.openedAt !== null || failures.length >= policy.failures
  return { failures, openedAt: opens ? now : null, probedAt: null }
}

/** How a backend's circuit stands now. */
export interface Standing {
  /** As `name/model`. */
  readonly backend: string
  readonly phase: Phase
  readonly failures: number
}

/** The circuits of a process. */
export interface Breakers {
  /** Whether the backend may be asked now; then `leave` is to follow. */
  readonly enter: (backend: string) => Effect.Effect<boolean>
  readonly leave: (backend: string, end: End) => Effect.Effect<void>
  /** Of several, the one that has been left alone longest; the first, when none is. */
  readonly longestAlone: (backends: readonly [string, ...Array<string>]) => Effect.Effect<string>
  readonly standings: Effect.Effect<ReadonlyArray<Standing>>
}

/** Circuits of one's own, all closed. */
export const make = (policy: Policy = standard): Breakers => {
  const circuits = new Map<string, Circuit>()
  const of = (backend: string) => circuits.get(backend) ?? closed
  const keep = (backend: string, circuit: Circuit, now: number) =>
    Effect.suspend(() => {
      circuits.set(backend, circuit)
      return Metric.update(Metric.withAttributes(gauge, { backend }), levels[phase(circuit, policy, now)])
    })
  return {
    enter: (backend) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const entered = enter(of(backend), policy, now)
        return entered === null ? Effect.succeed(false) : Effect.as(keep(backend, entered, now), true)
      }),
    leave: (backend, end) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => keep(backend, leave(of(backend), end, policy, now), now)),
    longestAlone: (backends) =>
      Effect.sync(() => backends.toSorted((a, b) => (of(a).openedAt ?? -1) - (of(b).openedAt ?? -1))[0] ?? backends[0]),
    standings: Effect.map(Clock.currentTimeMillis, (now) =>
      [...circuits].map(([backend, circuit]) => ({
        backend,
        phase: phase(circuit, policy, now),
        failures: circuit.failures.filter((at) => now - at < policy.windowMs).length
      })))
  }
}

/** The circuits that plans of this process ask; one set for all of them, unless a layer says otherwise. */
export const Current = Context.Reference<Breakers>("aosiq/backend/Breaker", { defaultValue: () => make() })

// internal

const levels: { readonly [P in Phase]: number } = { closed: 0, half_open: 1, open: 2 }

const gauge = Metric.gauge("aosiq_backend_circuit", {
  description: "Circuit of a backend: 0 closed, 1 half open, 2 open"
})
