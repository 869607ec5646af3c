/** Tampering across sessions: moved rows, lost sessions, control blocks, payloads, older copies. */
import type { Row } from "../../../src/audit/index.ts"
import { hashOf } from "../worlds.ts"
import { at, choose, copy, fix, found, headOf, type Id, type Kind, others, type Tampering, unseen } from "./Case.ts"

const moveRow: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const from = dice.pick(others(world, id))
  const theirs = log.rows.get(from) ?? []
  const k = dice.roll(theirs.length)
  const i = dice.roll(size + 1)
  const row = at(theirs, k)
  if (dice.roll(2) === 0) rows.splice(i, 0, row)
  else rows[i] = row
  if (dice.roll(2) === 0) return { log, isTable: false, expect: found(["moved"], id, [i, i]) }
  const last = theirs.length - 1
  theirs.splice(k, 1)
  return { log, isTable: false, expect: found(["moved"], id, [i, i], [k === last ? "truncated" : "deleted"]) }
}

const adoptRow: Tampering = (dice, world) => {
  const { id, log, size } = choose(dice, world)
  const from = dice.pick(others(world, id))
  const theirs = log.rows.get(from) ?? []
  const k = dice.roll(theirs.length)
  const seq = dice.roll(size + 1)
  const last = theirs.length - 1
  // The row keeps its hash, which is then that of nothing: unless its number stays, nobody can say where it is from.
  theirs[k] = { ...at(theirs, k), session: id, seq }
  const kinds: ReadonlyArray<Kind> = seq === k ? ["moved"] : ["inserted"]
  return { log, isTable: true, expect: found(kinds, id, undefined, [k === last ? "truncated" : "deleted"]) }
}

const dropSession: Tampering = (dice, world) => {
  const { covered, id, log } = choose(dice, world)
  log.rows.delete(id)
  log.held.delete(id)
  const isKnown = covered > 0 || world.parents.has(id)
  return { log, isTable: true, expect: isKnown ? found(["session_removed"], id) : unseen(world, 0) }
}

const dropControlBlock: Tampering = (dice, world) => {
  const { id, log } = choose(dice, world)
  log.held.delete(id)
  return { log, isTable: false, expect: found(["session_removed"], id) }
}

const dropRows: Tampering = (dice, world) => {
  const { id, log } = choose(dice, world)
  if (dice.roll(2) === 0) log.rows.delete(id)
  else log.rows.set(id, [])
  return { log, isTable: dice.roll(2) === 0, expect: found(["truncated"], id, [0, 0]) }
}

const editControlBlock: Tampering = (dice, world) => {
  const { id, log, rows, size } = choose(dice, world)
  const held = log.held.get(id)
  if (held === undefined) return undefined
  const seq = dice.roll(size + 3)
  if (seq === size) {
    log.held.set(id, { ...held, head: hashOf("elsewhere") })
    return { log, isTable: true, expect: found(["head_mismatch"], id, [size - 1, size - 1]) }
  }
  const head = seq > 0 && seq < size && dice.roll(2) === 0 ? headOf(rows.slice(0, seq)).hash : held.head
  log.held.set(id, { id, seq, head })
  if (seq > size) return { log, isTable: true, expect: found(["truncated"], id, [size, size]) }
  return head === held.head
    ? { log, isTable: true, expect: found(["head_mismatch"], id, [Math.max(0, seq - 1), Math.max(0, seq - 1)]) }
    : { log, isTable: true, expect: found(["inserted"], id, [seq, seq]) }
}

const isNamed = (rows: ReadonlyArray<Row.Row>, hash: string) => JSON.stringify(rows).includes(hash)

const alterPayload: Tampering = (dice, world) => {
  const log = copy(world)
  const [hash, text] = dice.pick([...log.payloads])
  const citing = [...world.rows].filter(([, rows]) => isNamed(rows, hash))
  const other = dice.pick([...log.payloads.values(), `${text} `, "", `${text.slice(1)}\ud800`])
  if (other === text) return undefined
  log.payloads.set(hash, other)
  // Some payloads are named by no row.
  const [id] = citing.length === 0 ? [null] : dice.pick(citing)
  return { log, isTable: true, expect: found(["payload_altered"], id) }
}

const erasePayload: Tampering = (dice, world) => {
  const log = copy(world)
  const rows = [...world.rows.values()].flat()
  log.payloads.delete(dice.pick([...log.payloads.keys()].filter((hash) => isNamed(rows, hash))))
  return { log, isTable: true, expect: { _tag: "Unseen", gap: "payload_missing", count: 1 } }
}

const restoreLog: Tampering = (dice, world) => {
  const log = copy(world)
  const until = dice.pick([...world.rows.values()].flat()).at
  const kinds = new Set<Kind>()
  let session: Id | null = null
  for (const [id, rows] of log.rows) {
    const left = rows.filter((row) => Number(row["at"]) <= until)
    log.rows.set(id, left)
    if (left.length === 0) log.held.delete(id)
    else fix(log, id)
    if ((world.covered.get(id) ?? 0) > left.length) {
      session = id
      kinds.add(left.length === 0 ? "session_removed" : "truncated")
    }
  }
  const also = [...kinds]
  return { log, isTable: true, expect: session === null ? unseen(world, 0) : found(also, session, undefined, also) }
}

export const sessions = {
  moveRow,
  adoptRow,
  dropSession,
  dropControlBlock,
  dropRows,
  editControlBlock,
  alterPayload,
  erasePayload,
  restoreLog
}
