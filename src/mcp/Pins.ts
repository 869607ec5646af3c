/** What people decided about definitions, as it is kept: each change is a row in the chain of the installation. */
import { Clock, Effect } from "effect"
import { Digest, type Row } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Recording } from "../session/index.ts"
import { Redact } from "../trust/index.ts"
import type { Pinnable } from "./Definition.ts"
import * as Pin from "./Pin.ts"

/** Which tool, and what it is now. */
export interface Subject {
  readonly server: string
  readonly tool: string
  readonly pinnable: Pick<Pinnable, "hash" | "text">
}

/** Who decided, and why. */
export interface Word {
  readonly by: string
  readonly reason: string
}

/** Characters of a reason; more are cut off. */
export const maxReason = 2000

/** Who a change is by that nobody decided. */
export const runtime = "aosiq"

/** Pins over a store. */
export const make = Effect.gen(function*() {
  const store = yield* Store.Store
  const digest = yield* Digest.Digest
  const { mode } = yield* Governor
  const record = Recording.recording({ store, digest, mode })

  /** What was read last, by key, with its text: the same text is not decoded twice. */
  const decoded = new Map<string, { readonly text: string; readonly pin: Pin.Pin | undefined }>()

  const held = (server: string, tool: string): Effect.Effect<Pin.Held, Store.StoreError> =>
    Effect.map(store.record(Pin.keyOf(server, tool)), (kept) => {
      if (kept === undefined) return { pin: undefined, version: 0 }
      const text = JSON.stringify(kept.value)
      const known = decoded.get(kept.id)
      const { pin } = known?.text === text ? known : { pin: Pin.read(kept.value) }
      decoded.set(kept.id, { text, pin })
      return { pin, version: kept.version }
    })

  const write = (
    { pin, pinnable, version, was }: {
      readonly pin: Pin.Pin
      readonly pinnable: Subject["pinnable"]
      readonly version: number
      readonly was: Digest.Hash | null
    }
  ) => {
    const { body, payloads } = Pin.row(pin, pinnable, was)
    return record(body satisfies Row.Body, [Pin.keep(pin, version)], payloads)
  }

  /** Approves what the tool is now. */
  const approve = Effect.fnUntraced(function*({ pinnable, server, tool }: Subject, { by, reason }: Word) {
    const { pin: before, version } = yield* held(server, tool)
    if (before?.state === "approved" && before.definition === pinnable.hash) return before
    const pin: Pin.Pin = {
      server,
      tool,
      state: "approved",
      definition: pinnable.hash,
      earlier: Pin.earlierOf(before, pinnable.hash),
      seen: null,
      by,
      reason: Redact.words(reason, maxReason),
      at: yield* Clock.currentTimeMillis
    }
    yield* write({ pin, pinnable, version, was: before?.definition ?? null })
    return pin
  })

  /** Stops a tool that is another than was approved, if that approval still stands as it was read. */
  const stop = Effect.fnUntraced(function*(pinnable: Subject["pinnable"], { pin: before, version }: Pin.Held) {
    if (before === undefined || before.state !== "approved" || before.definition === pinnable.hash) return
    const reason = "the server says another definition"
    const at = yield* Clock.currentTimeMillis
    const pin: Pin.Pin = { ...before, state: "stopped", seen: pinnable.hash, by: runtime, reason, at }
    yield* Effect.catchIf(write({ pin, pinnable, version, was: before.definition }), isStale, () => Effect.void)
  })

  /** Takes an approval back; `undefined` when there is none. */
  const withdraw = Effect.fnUntraced(function*(server: string, tool: string, { by, reason }: Word) {
    const { pin: before, version } = yield* held(server, tool)
    if (before === undefined) return undefined
    if (before.state === "withdrawn") return before
    const said = Redact.words(reason, maxReason)
    const pin: Pin.Pin = { ...before, state: "withdrawn", by, reason: said, at: yield* Clock.currentTimeMillis }
    const { body } = Pin.row(pin, { hash: before.definition, text: "" }, before.definition)
    yield* record(body, [Pin.keep(pin, version)])
    return pin
  })

  return { held, approve: faster(approve), stop, withdraw: faster(withdraw) }
})

export type Pins = Effect.Success<typeof make>

// internal

/** Whether somebody else changed the same a moment ago. */
const isStale = (error: Store.StoreError): boolean => Recording.why(error) === "stale"

/** Attempts at a change that others got in the way of. */
const maxAttempts = 5

/** Again, when somebody else changed the same a moment ago. */
const faster =
  <Args extends ReadonlyArray<unknown>, A>(change: (...args: Args) => Effect.Effect<A, Store.StoreError>) =>
  (...args: Args): Effect.Effect<A, Store.StoreError> =>
    Effect.retry(Effect.suspend(() => change(...args)), {
      while: isStale,
      times: maxAttempts - 1
    })
