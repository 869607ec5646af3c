/**
 * The definition of a tool that people approved. It holds until the server says another one, an operator takes it back, or
 * approves another. A pin that was stopped stays stopped, whatever the server says next, until an operator approves again.
 *
 * approved → stopped | withdrawn → approved. Instants are epoch milliseconds.
 */
import { Option, Schema } from "effect"
import { Digest, type Row } from "../audit/index.ts"
import type { Store } from "../governor/index.ts"
import type { Pinnable } from "./Definition.ts"

export const State = Schema.Literals(["approved", "stopped", "withdrawn"])

export const Pin = Schema.Struct({
  server: Schema.NonEmptyString,
  /** As the server names it. */
  tool: Schema.NonEmptyString,
  state: State,
  /** Hash of the definition that was approved. */
  definition: Digest.Hash,
  /** Hashes of those that were approved before it, the latest first. */
  earlier: Schema.optionalKey(Schema.Array(Digest.Hash)),
  /** Hash of the definition that stopped it. */
  seen: Schema.NullOr(Digest.Hash),
  by: Schema.NonEmptyString,
  reason: Schema.String,
  at: Schema.Natural
})
export type Pin = typeof Pin.Type

/** A pin as it was read. */
export interface Held {
  readonly pin: Pin | undefined
  /** Counts its changes; 0 when there is none. */
  readonly version: number
}

/** Definitions that were approved before the present one and are remembered; one that is forgotten is a stranger's again. */
export const maxEarlier = 16

/** Whether the definition was approved before the present one. */
export const wasApproved = (pin: Pin | undefined, hash: Digest.Hash): boolean => pin?.earlier?.includes(hash) === true

/** What `earlier` is when another definition is approved after that of a pin. */
export const earlierOf = (pin: Pin | undefined, hash: Digest.Hash): ReadonlyArray<Digest.Hash> =>
  pin === undefined
    ? []
    : [pin.definition, ...pin.earlier ?? []].filter((one) => one !== hash).slice(0, maxEarlier)

/** By what a pin is kept. */
export const keyOf = (server: string, tool: string): Store.RecordKey => ({ kind: "pin", id: `${server}@${tool}` })

/** The pin as it is kept, from the version that was read. */
export const keep = (pin: Pin, version: number): Store.Change => ({
  ...keyOf(pin.server, pin.tool),
  version,
  next: { owner: pin.server, state: pin.state, at: pin.at, value: encode(pin) }
})

/** The pin of a kept value; what is none counts as no approval. */
export const read = (value: Schema.Json): Pin | undefined => Option.getOrUndefined(decode(value))

/** The row about a change, with the text that it names. */
export const row = (pin: Pin, { hash, text }: Pick<Pinnable, "hash" | "text">, was: Digest.Hash | null): {
  readonly body: Row.Body
  readonly payloads: ReadonlyArray<Store.Payload>
} => ({
  body: {
    kind: "pinned",
    server: pin.server,
    tool: pin.tool,
    what: pin.state,
    by: pin.by,
    reason: pin.reason,
    definition: hash,
    was
  },
  payloads: [{ hash, text }]
})

// internal

const encode = Schema.encodeSync(Schema.toCodecJson(Pin))
const decode = Schema.decodeUnknownOption(Schema.toCodecJson(Pin))
