/**
 * What somebody may do who holds the database and the place of the anchors, while one witness is alive: with or without
 * the key that signs anchors. Every change is made good as far as it can be: rows are sealed anew, control blocks fit,
 * anchors that contradict are removed, replaced or, with the key, signed anew.
 */
import { type Anchor, Merkle } from "../../../src/audit/index.ts"
import { anchorOf, type Dice, signer, storedOf, stranger, type World } from "../worlds.ts"
import {
  at,
  choose,
  copy,
  fix,
  headOf,
  type Id,
  type Json,
  type Kind,
  lie,
  reseal,
  rewordedAt,
  type Tampered
} from "./Case.ts"

/** A log that a witness watched over. */
export interface Watched {
  readonly world: World
  /** The number of the newest anchor that the witness signed. */
  readonly signed: number
  /** The anchors as they are kept, with what it signed of them. */
  readonly anchors: ReadonlyArray<Anchor.Stored>
}

/** What was done, and what a verifier that asks the witness must say. */
export interface Attack {
  readonly log: Tampered
  /** Whether rows changed that the witness signed for. */
  readonly isWitnessed: boolean
  /** Kinds of which one must be found; none when nothing can be seen. */
  readonly kinds: ReadonlyArray<Kind>
  /** Kinds that may be found besides. */
  readonly also: ReadonlyArray<Kind>
  /** Rows in the log that are not those that were written there: so many must be admitted where nothing is found. */
  readonly altered: number
}

type Change = (dice: Dice, world: World) => Tampered | undefined
type Cover = (dice: Dice, watched: Watched, changed: Changed) => Pick<Attack, "also" | "kinds"> & {
  readonly anchors: ReadonlyArray<Anchor.Stored>
}

/** A changed database, and how it differs from what was written. */
interface Changed {
  readonly log: Tampered
  /** Rows of each session that are as they were, from the first on. */
  readonly same: ReadonlyMap<Id, number>
  /** The first anchor that contradicts it; as many as there are when none does. */
  readonly first: number
  readonly isWitnessed: boolean
}

// --- changes of the database: each leaves chains that hold in themselves --------

/** Any row but the genesis row, which a chain must begin with. */
const later = (dice: Dice, size: number) => 1 + dice.roll(size - 1)

const edit: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  rows[i] = rewordedAt(at(rows, i))
  reseal(rows, i)
  fix(log, id)
  return log
}

const insert: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = later(dice, size + 1)
  rows.splice(i, 0, lie(dice, id))
  reseal(rows, i)
  fix(log, id)
  return log
}

const reorder: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const [i, j] = [later(dice, size), later(dice, size)]
  if (i === j) return undefined
  const [a, b] = [at(rows, i), at(rows, j)]
  rows[i] = b
  rows[j] = a
  reseal(rows, Math.min(i, j))
  fix(log, id)
  return log
}

const remove: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = later(dice, size)
  rows.splice(i, 1 + dice.roll(Math.min(3, size - i)))
  reseal(rows, i)
  fix(log, id)
  return log
}

const truncate: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  rows.length = later(dice, size)
  fix(log, id)
  return log
}

const fork: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = later(dice, size)
  rows.splice(i, size, ...Array.from({ length: 1 + dice.roll(size - i + 2) }, () => lie(dice, id)))
  reseal(rows, i)
  fix(log, id)
  return log
}

const move: Change = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const from = dice.pick([...log.rows.keys()].filter((other) => other !== id))
  const theirs = log.rows.get(from) ?? []
  const k = later(dice, theirs.length)
  const i = later(dice, size + 1)
  rows.splice(i, 0, { ...at(theirs, k), session: id })
  theirs.splice(k, 1)
  reseal(rows, i)
  reseal(theirs, k)
  fix(log, id)
  fix(log, from)
  return log
}

const drop: Change = (dice, world) => {
  const { id, log } = choose(dice, world)
  if (log.rows.size < 2) return undefined
  log.rows.delete(id)
  log.held.delete(id)
  // Those that it began would remember it.
  for (const [child, rows] of log.rows) {
    const body = at(rows, 0)["body"] as Json
    if (body["parent"] !== id) continue
    rows[0] = { ...at(rows, 0), body: { ...body, parent: null } }
    reseal(rows, 0)
    fix(log, child)
  }
  return log
}

const restore: Change = (dice, world) => {
  const log = copy(world)
  const until = dice.pick([...world.rows.values()].flat()).at
  for (const [id, rows] of log.rows) {
    const left = rows.filter((row) => Number(row["at"]) <= until)
    log.rows.set(id, left)
    if (left.length > 0) fix(log, id)
    else {
      log.rows.delete(id)
      log.held.delete(id)
    }
  }
  return log
}

const changes: Readonly<Record<string, Change>> = {
  edit,
  insert,
  reorder,
  remove,
  truncate,
  fork,
  move,
  drop,
  restore
}

// --- what is done about the anchors ---------------------------------------------

/** Nothing: they contradict the database wherever they know better. */
const leave: Cover = (_, { anchors }, { first, same, log }) => ({
  anchors,
  kinds: first < anchors.length ? ["rewritten", "truncated", "session_removed"] : [],
  also: first < anchors.length && same.size > log.rows.size ? ["rewritten", "truncated", "session_removed"] : []
})

/** Those that contradict are gone, as if they had never been taken. */
const cut: Cover = (_, { anchors }, { first, isWitnessed }) => ({
  anchors: anchors.slice(0, first),
  kinds: isWitnessed ? ["witness_contradicts"] : [],
  also: []
})

/** All are gone, and the log anchors itself anew. */
const clear: Cover = (_, __, { isWitnessed }) => ({
  anchors: [],
  kinds: isWitnessed ? ["witness_contradicts"] : [],
  // The new tree is another one even over the same chains, but for an accident.
  also: ["witness_contradicts"]
})

/** Others stand in their place, which the key of the log did not sign. */
const replace: Cover = (dice, watched, changed) => ({
  anchors: anew(dice, watched, changed, changed.first, stranger),
  kinds: changed.first < watched.anchors.length ? ["anchor_altered"] : [],
  // Nothing was signed on top of them, so that the newest that holds is older than what the witness signed.
  also: ["witness_contradicts", "session_removed", "rewritten", "truncated"]
})

/** Signed anew from where they contradict on. */
const signLater: Cover = (dice, watched, changed) => ({
  anchors: anew(dice, watched, changed, changed.first, signer),
  kinds: changed.isWitnessed ? ["witness_contradicts"] : [],
  also: []
})

/** Signed anew from the beginning, in another number of anchors perhaps. */
const signAll: Cover = (dice, watched, changed) => ({
  anchors: anew(dice, watched, changed, 0, signer),
  // Another tree contradicts the witness even where it says the same of every chain.
  kinds: changed.isWitnessed ? ["witness_contradicts"] : [],
  also: ["witness_contradicts"]
})

/** The same, with the lines under them that the witness wrote under others. */
const transplant: Cover = (dice, watched, changed) => {
  const anchors = anew(dice, watched, changed, changed.first, signer).map((one, i) => ({
    ...one,
    cosignatures: watched.anchors[i]?.cosignatures ?? []
  }))
  return { anchors, kinds: changed.isWitnessed ? ["witness_contradicts"] : [], also: ["cosignature_altered"] }
}

const withoutKey: Readonly<Record<string, Cover>> = { leave, cut, clear, replace }
const withKey: Readonly<Record<string, Cover>> = { signLater, signAll, transplant, cut }

/** Anchors over the changed database, signed by `by` from number `from` on, at the lengths of those before. */
const anew = (
  dice: Dice,
  { anchors, signed, world }: Watched,
  { log }: Changed,
  from: number,
  by: typeof signer
): ReadonlyArray<Anchor.Stored> => {
  const made = world.checked.slice(0, from)
  const add = (leaves: ReadonlyArray<Anchor.Leaf>) => {
    const [first, ...rest] = leaves
    if (first === undefined) return
    const before = made.at(-1)?.after ?? Merkle.empty
    const when = world.checked[made.length]?.anchor.at ?? 1_767_225_600_000
    made.push(anchorOf(by, { sequence: made.length, at: when, before }, [first, ...rest]))
  }
  const plan = world.checked.slice(from).map(({ anchor }) =>
    anchor.leaves.flatMap((leaf) => {
      if (typeof leaf === "string") return []
      const rows = log.rows.get(leaf.session) ?? []
      const seq = Math.min(leaf.seq, rows.length)
      return seq === 0 ? [] : [{ session: leaf.session, seq, hash: headOf(rows.slice(0, seq)).hash }]
    })
  )
  if (dice.roll(4) === 0) add(plan.flat())
  else for (const leaves of plan) add(leaves)
  // A tree of the very size that the witness signed is the likeliest to be taken for it.
  const [size, wanted] = [made.at(-1)?.after.size ?? 0, world.checked[signed]?.after.size ?? 0]
  const [id, rows] = [...log.rows].at(0) ?? []
  if (id !== undefined && rows !== undefined && rows.length > 0 && size < wanted && dice.roll(2) === 0) {
    const { hash } = headOf(rows)
    add(Array.from({ length: wanted - size }, () => ({ session: id, seq: rows.length, hash })))
  }
  return made.map((one, i) => i < from ? anchors[i] ?? storedOf(one) : storedOf(one))
}

// --- attacks ---------------------------------------------------------------------

/** How the database differs from what was written; `undefined` when it does not. */
const compared = ({ signed, world }: Watched, log: Tampered): Changed & { readonly altered: number } | undefined => {
  const same = new Map([...world.rows].map(([id, rows]) => {
    const now = log.rows.get(id) ?? []
    const parted = rows.findIndex((row, i) => now[i]?.["hash"] !== row.hash)
    return [id, parted < 0 ? rows.length : parted] as const
  }))
  const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
  const altered = sum([...log.rows].map(([id, rows]) => rows.length - (same.get(id) ?? 0)))
  const isSame = altered === 0 && [...world.rows].every(([id, rows]) => same.get(id) === rows.length)
  const contradicts = ({ anchor }: Anchor.Checked) =>
    anchor.leaves.some((leaf) => typeof leaf !== "string" && leaf.seq > (same.get(leaf.session) ?? 0))
  const first = world.checked.findIndex(contradicts)
  return isSame ? undefined : {
    log,
    same,
    altered,
    first: first < 0 ? world.checked.length : first,
    isWitnessed: first >= 0 && first <= signed
  }
}

/** An attack on a log, by somebody who has the key or has not. */
export const attack = (dice: Dice, watched: Watched, hasKey: boolean): readonly [string, Attack] | undefined => {
  const [what, change] = dice.pick(Object.entries(changes))
  const [how, cover] = dice.pick(Object.entries(hasKey ? withKey : withoutKey))
  const log = change(dice, watched.world)
  const changed = log === undefined ? undefined : compared(watched, log)
  if (log === undefined || changed === undefined) return undefined
  const { also, anchors, kinds } = cover(dice, watched, changed)
  log.anchors = [...anchors]
  const { altered, isWitnessed } = changed
  return [`${what}, then ${how}`, { log, isWitnessed, kinds, also, altered }]
}
