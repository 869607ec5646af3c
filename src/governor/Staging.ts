/**
 * What acts under way stage for memory: for the working memory of their session, and for what outlives it. For the Governor
 * alone: the room's door does not export it, and `Memory` is what handlers see of it.
 */
import type { Effect, Schema } from "effect"
import type { Digest, Row } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import type { Permit } from "./Permit.ts"
import { type Entered, labelsOf, memoryOf } from "./Session.ts"
import type { Payload } from "./Store.ts"

/** What an act stages under a key; no payload clears it. */
export interface Left {
  readonly payload: Payload | null
  readonly label: Row.MemoryLabel
}
/** By key. */
export type Staged = ReadonlyMap<string, Left>

/** What was kept under a key, and what is known of where it came from. */
export interface Found {
  readonly hash: Digest.Hash
  /** Absent in chains from before there were labels there. */
  readonly label: Row.MemoryLabel | undefined
}

/** What is asked to be kept. */
export interface Wanted {
  readonly key: string
  readonly json: Schema.Json
  /** As what it is to come back. */
  readonly trust: "trusted" | "untrusted"
}

/** What the Governor knows of memory, for one act. */
export interface Keeper {
  /** The label of what is to be kept; or why it may not be. */
  readonly label: (wanted: Wanted, read: ReadonlyArray<Row.MemoryLabel>) => Effect.Effect<Row.MemoryLabel, string>
  /** What outlives sessions under that key. */
  readonly lasting: (key: string) => Effect.Effect<Found | undefined, string>
  /** Whoever reads this knows of it from now on. */
  readonly note: (label: Row.MemoryLabel) => void
}

/** An act that may reach memory. */
export interface Acting {
  readonly capabilities: ReadonlyArray<Capability.Name>
  readonly memory: Map<string, Digest.Hash>
  readonly labels: ReadonlyMap<string, Row.MemoryLabel>
  readonly staged: Map<string, Left>
  readonly lasting: Map<string, Left>
  /** Labels of what it has read. */
  readonly read: Array<Row.MemoryLabel>
  readonly keeper: Keeper
}

/** What an act came to with memory. */
export type Ended = Pick<Acting, "read"> & { readonly staged: Staged; readonly lasting: Staged }

/** Opens memory to the permit of an act. */
export const begin = <N extends string>(
  permit: Permit<N>,
  session: Entered,
  capabilities: ReadonlyArray<Capability.Name>,
  keeper: Keeper
): void => {
  const memory = memoryOf(session)
  const acting: Acting = {
    capabilities,
    memory,
    labels: labelsOf(session),
    staged: new Map(),
    lasting: new Map(),
    read: [],
    keeper
  }
  const others = open.get(memory) ?? new Set<Acting>()
  others.add(acting)
  open.set(memory, others)
  acts.set(permit, acting)
}

/** Closes it again, and gives what was staged and read. */
export const end = <N extends string>(permit: Permit<N>): Ended => {
  const acting = acts.get(permit)
  if (acting === undefined) return { staged: new Map(), lasting: new Map(), read: [] }
  acts.delete(permit)
  open.get(acting.memory)?.delete(acting)
  return acting
}

/** What was staged is in the log by now. */
export const keep = (session: Entered, staged: Staged): void => {
  const [memory, labels] = [memoryOf(session), labelsOf(session)]
  for (const [key, { label, payload }] of staged) {
    labels.set(key, label)
    if (payload === null) memory.delete(key)
    else memory.set(key, payload.hash)
  }
}

/** What an outcome says of it. */
export const said = (
  staged: Staged,
  lasting: Staged
): Pick<typeof Row.Outcome.Type, "memory" | "labels" | "lasting"> => ({
  ...(staged.size === 0
    ? {}
    : {
      memory: Object.fromEntries([...staged].map(([key, { payload }]) => [key, payload?.hash ?? null])),
      labels: Object.fromEntries([...staged].map(([key, { label }]) => [key, label]))
    }),
  ...(lasting.size === 0
    ? {}
    : {
      lasting: Object.fromEntries(
        [...lasting].map(([key, { label, payload }]) => [key, { hash: payload?.hash ?? null, ...label }])
      )
    })
})

/** The act of a permit, while it is under way. */
export const actOf = <N extends string>(permit: Permit<N>): Acting | undefined => acts.get(permit)

/** All keys that a memory holds or will hold, if every act under way succeeds. */
export const keysOf = (memory: ReadonlyMap<string, Digest.Hash>): ReadonlySet<string> =>
  new Set([...memory.keys(), ...[...open.get(memory) ?? []].flatMap((acting) => [...acting.staged.keys()])])

// internal

const acts = new WeakMap<object, Acting>()
/** The acts under way of each run, by its memory. */
const open = new WeakMap<object, Set<Acting>>()
