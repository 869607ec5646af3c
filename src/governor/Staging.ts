/**
 * What acts under way stage for the working memory of their session. For the Governor alone: the room's door does not
 * export it, and `Memory` is what handlers see of it.
 */
import type { Digest } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import type { Permit } from "./Permit.ts"
import { type Entered, memoryOf } from "./Session.ts"
import type { Payload } from "./Store.ts"

/** What an act stages, by key; `null` clears the key. */
export type Staged = ReadonlyMap<string, Payload | null>

/** An act that may reach the memory. */
export interface Acting {
  readonly capabilities: ReadonlyArray<Capability.Name>
  readonly memory: Map<string, Digest.Hash>
  readonly staged: Map<string, Payload | null>
}

/** Opens the memory of its session to the permit of an act. */
export const begin = <N extends string>(
  permit: Permit<N>,
  session: Entered,
  capabilities: ReadonlyArray<Capability.Name>
): void => {
  const memory = memoryOf(session)
  const acting: Acting = { capabilities, memory, staged: new Map() }
  const others = open.get(memory) ?? new Set<Acting>()
  others.add(acting)
  open.set(memory, others)
  acts.set(permit, acting)
}

/** Closes it again, and gives what was staged. */
export const end = <N extends string>(permit: Permit<N>): Staged => {
  const acting = acts.get(permit)
  if (acting === undefined) return new Map()
  acts.delete(permit)
  open.get(acting.memory)?.delete(acting)
  return acting.staged
}

/** What was staged is in the log by now. */
export const keep = (session: Entered, staged: Staged): void => {
  const memory = memoryOf(session)
  for (const [key, payload] of staged) {
    if (payload === null) memory.delete(key)
    else memory.set(key, payload.hash)
  }
}

/** The act of a permit, while it is under way. */
export const actOf = <N extends string>(permit: Permit<N>): Acting | undefined => acts.get(permit)

/** All keys that a memory holds or will hold, if every act under way succeeds. */
export const keysOf = (memory: ReadonlyMap<string, Digest.Hash>): ReadonlySet<string> =>
  new Set([...memory.keys(), ...[...open.get(memory) ?? []].flatMap((acting) => [...acting.staged.keys()])])

// internal

const acts = new WeakMap<object, Acting>()
/** The acts under way of each run, by its memory. */
const open = new WeakMap<object, Set<Acting>>()
