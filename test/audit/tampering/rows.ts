/** Tampering with the rows of one session. */
import { Claims } from "../../../src/capability/index.ts"
import { hashOf, type World } from "../worlds.ts"
import {
  at,
  bendAt,
  changed,
  choose,
  type Expect,
  fix,
  found,
  headOf,
  type Id,
  type Json,
  junk,
  type Kind,
  leaves,
  lie,
  others,
  renumber,
  reseal,
  rewordedAt,
  seal,
  type Tampering,
  unseen
} from "./Case.ts"

/** What a row that was changed, with every row after it sealed anew, must look like. */
const rewritten = (
  world: World,
  on: { readonly id: Id; readonly covered: number; readonly row: number; readonly size: number },
  otherwise: Expect | undefined
): Expect =>
  on.covered > on.row ? found(["rewritten"], on.id, [0, on.row]) : otherwise ?? unseen(world, on.size - on.row)

const edit: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  const path = dice.pick(leaves(at(rows, i)).filter(([key]) => key !== "v" && key !== "seq" && key !== "session"))
  rows[i] = bendAt(dice, at(rows, i), path) as Json
  return { log, isTable: dice.roll(2) === 0, expect: found(["edited"], id, [i, i]) }
}

const addField: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  rows[i] = dice.roll(2) === 0 ? changed(dice, at(rows, i)) : { ...at(rows, i), lie: true }
  return { log, isTable: false, expect: found(["edited"], id, [i, i]) }
}

const editVersion: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  const v = dice.pick([0, 2, 17])
  rows[i] = { ...at(rows, i), v }
  if (dice.roll(2) === 0) reseal(rows, i, i + 1)
  return { log, isTable: dice.roll(2) === 0, expect: found(["unknown_version"], id, [i, i]) }
}

const editNumber: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  const seq = dice.roll(size + 3)
  if (seq === i) return undefined
  rows[i] = { ...at(rows, i), seq }
  const isTable = dice.roll(2) === 0
  // In a table the row also comes at another place.
  return isTable
    ? { log, isTable, expect: found(["edited", "reordered"], id, [Math.min(seq + 1, i), i]) }
    : { log, isTable, expect: found(["edited"], id, [i, i]) }
}

const editSession: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  const to = dice.pick([...others(world, id), Claims.SessionId.make("nobody")])
  rows[i] = { ...at(rows, i), session: to }
  if (dice.roll(2) === 0) return { log, isTable: false, expect: found(["edited"], id, [i, i]) }
  const gone: Kind = i === size - 1 ? "truncated" : "deleted"
  return { log, isTable: true, expect: found([gone], id, [i, i], to === "nobody" ? [] : ["moved"]) }
}

const swap: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size - 1)
  const j = dice.roll(3) === 0 ? i + 1 : i + 1 + dice.roll(size - i - 1)
  const isTable = dice.roll(2) === 0
  const [a, b] = [at(rows, i), at(rows, j)]
  rows[i] = isTable ? { ...a, seq: j } : b
  rows[j] = isTable ? { ...b, seq: i } : a
  return { log, isTable, expect: found(["reordered"], id, [i, i]) }
}

const insertJunk: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size + 1)
  const isTable = dice.roll(2) === 0
  rows.splice(isTable ? size : i, 0, junk(dice, id, i))
  if (dice.roll(2) === 0 && !isTable) renumber(rows, i)
  return { log, isTable, expect: found(["inserted"], id, [i, i]) }
}

const insertSealed: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = 1 + dice.roll(size)
  const isTable = dice.roll(2) === 0
  // On the row before it, or on one that never was.
  const on = dice.roll(3) === 0 ? { seq: i, hash: hashOf("elsewhere") } : headOf(rows.slice(0, i))
  const row = seal(lie(dice, id), on)
  rows.splice(isTable && dice.roll(2) === 0 ? size : i, 0, row)
  if (dice.roll(2) === 0 && !isTable) renumber(rows, i)
  return { log, isTable, expect: found(["inserted"], id, [i, i]) }
}

const insertAndReseal: Tampering = (dice, world) => {
  const { covered, id, log, rows, size } = choose(dice, world)
  const i = 1 + dice.roll(size)
  rows.splice(i, 0, lie(dice, id))
  reseal(rows, i)
  const isFixed = dice.roll(2) === 0
  if (isFixed) fix(log, id)
  const mismatch = i === size ? found(["inserted"], id, [i, i]) : found(["head_mismatch"], id, [size - 1, size - 1])
  return {
    log,
    isTable: true,
    expect: rewritten(world, { id, covered, row: i, size: size + 1 }, isFixed ? undefined : mismatch)
  }
}

const remove: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  rows.splice(i, 1)
  if (dice.roll(2) === 0) renumber(rows, i)
  const kind: Kind = i === size - 1 ? "truncated" : "deleted"
  return { log, isTable: dice.roll(2) === 0, expect: found([kind], id, [i, i]) }
}

const removeMany: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(2) === 0 ? 0 : dice.roll(size - 2)
  rows.splice(i, 1 + dice.roll(size - i - 1))
  return { log, isTable: dice.roll(2) === 0, expect: found(["deleted"], id, [i, i]) }
}

const removeAndReseal: Tampering = (dice, world) => {
  const { covered, id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size - 1)
  rows.splice(i, 1)
  reseal(rows, i)
  const isFixed = dice.roll(2) === 0
  if (isFixed) fix(log, id)
  if (i === 0) return { log, isTable: true, expect: found(["bad_genesis"], id, [0, 0]) }
  const expect = covered > i
    ? found(["rewritten", "truncated"], id, [0, size - 1])
    : isFixed
    ? unseen(world, size - 1 - i)
    : found(["truncated"], id, [size - 1, size - 1])
  return { log, isTable: true, expect }
}

const truncate: Tampering = (dice, world) => {
  const { covered, id, log, rows, size } = choose(dice, world)
  const left = dice.roll(size)
  rows.length = left
  const isFixed = dice.roll(2) === 0
  if (isFixed) fix(log, id)
  const shows = !isFixed || covered > left
  const expect = shows
    ? found(["truncated"], id, [left, left])
    : left === 0
    ? found(["bad_genesis"], id, [0, 0])
    : unseen(world, 0)
  return { log, isTable: true, expect }
}

const fork: Tampering = (dice, world) => {
  const { covered, id, log, rows, size } = choose(dice, world)
  const i = 1 + dice.roll(size - 1)
  const length = 1 + dice.roll(4)
  const branch = [...rows.slice(0, i), ...Array.from({ length }, () => lie(dice, id))]
  reseal(branch, i)
  const isTable = dice.roll(2) === 0
  if (isTable && dice.roll(2) === 0) rows.unshift(...branch.slice(i))
  else rows.push(...branch.slice(i))
  // A branch of one row has no following; an anchor beyond the fork knows which branch is the right one.
  const kinds: ReadonlyArray<Kind> = length === 1 ? ["inserted"] : covered > i ? ["forked", "inserted"] : ["forked"]
  return { log, isTable, expect: found(kinds, id, [i, i]) }
}

const duplicate: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size)
  rows.splice(i + 1 + dice.roll(size - i), 0, at(rows, i))
  return { log, isTable: dice.roll(2) === 0, expect: found(["duplicated"], id, [i, i]) }
}

const rewrite: Tampering = (dice, world) => {
  const { covered, id, log, rows, size } = choose(dice, world)
  const i = dice.roll(2) === 0 ? 0 : dice.roll(size)
  rows[i] = rewordedAt(at(rows, i))
  reseal(rows, i)
  const isFixed = dice.roll(2) === 0
  if (isFixed) fix(log, id)
  const mismatch = isFixed ? undefined : found(["head_mismatch"], id, [size - 1, size - 1])
  return { log, isTable: true, expect: rewritten(world, { id, covered, row: i, size }, mismatch) }
}

const replaceGenesis: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(2) === 0 ? 0 : 1 + dice.roll(size - 1)
  const row = i === 0 ? lie(dice, id) : at(rows, 0)
  rows[i] = row
  reseal(rows, i)
  fix(log, id)
  return { log, isTable: true, expect: found(["bad_genesis"], id, [i, i]) }
}

const resealRun: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const i = dice.roll(size - 1)
  const j = dice.roll(2) === 0 ? i : i + dice.roll(size - 1 - i)
  rows[i] = rewordedAt(at(rows, i))
  reseal(rows, i, j + 1)
  const lengths = world.checked.flatMap(({ anchor }) =>
    anchor.leaves.flatMap((leaf) => typeof leaf !== "string" && leaf.session === id ? [leaf.seq] : [])
  )
  const expect = lengths.some((length) => length > i && length <= j + 1)
    ? found(["rewritten"], id, [0, i])
    : found(["edited"], id, [j, j])
  return { log, isTable: dice.roll(2) === 0, expect }
}

/** An act by a consent that nobody gave: sealed as the runtime seals, past the last anchor, with a fitting control block. */
const sneakAct: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const consent = dice.roll(2) === 0 ? { ticket: "t-none" } : { ticket: null, rule: { id: "R-none", use: 1 } }
  const body = {
    kind: "intent",
    act: "restart",
    capabilities: [],
    token: "jti",
    schema: hashOf("restart"),
    args: hashOf("args"),
    argsPreview: "",
    reservedMicroUsd: 0,
    ...consent
  }
  rows.push(seal({ ...lie(dice, id), key: "main#0", body }, headOf(rows)))
  fix(log, id)
  return { log, isTable: dice.roll(2) === 0, expect: found(["unauthorised"], id, [size, size]) }
}

export const rows = {
  edit,
  addField,
  editVersion,
  editNumber,
  editSession,
  swap,
  insertJunk,
  insertSealed,
  insertAndReseal,
  remove,
  removeMany,
  removeAndReseal,
  truncate,
  fork,
  duplicate,
  rewrite,
  replaceGenesis,
  resealRun,
  sneakAct
}
