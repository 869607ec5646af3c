/** Tampering with anchors, with and without the signing key. */
import { Effect } from "effect"
import { Anchor, Chain, type Log, Merkle, Note } from "../../../src/audit/index.ts"
import { cosign, keyOf, witnessOf } from "../witnesses.ts"
import { anchorOf, digest, hashOf, signer, storedOf, stranger } from "../worlds.ts"
import { at, choose, copy, fix, found, type Id, type Kind, reseal, rewordedAt, type Tampering } from "./Case.ts"

const witness = Effect.runSync(witnessOf("witness.example/w1"))

const editAnchor: Tampering = (dice, world) => {
  if (world.anchors.length === 0) return undefined
  const log = copy(world)
  const i = dice.roll(log.anchors.length)
  const one = log.anchors[i]
  if (one === undefined) return undefined
  const { text } = one
  const cut = dice.roll(text.length)
  const char = dice.pick([..." 0a}\"A"].filter((char) => char !== text[cut]))
  log.anchors[i] = {
    ...one,
    text: text.slice(0, cut) + dice.pick([char, text.slice(cut, cut + 1) + char]) + text.slice(cut + 1)
  }
  return { log, isTable: true, expect: found(["anchor_altered"], null, [i, i]) }
}

const removeAnchor: Tampering = (dice, world) => {
  if (world.anchors.length === 0) return undefined
  const log = copy(world)
  const i = dice.roll(log.anchors.length)
  log.anchors.splice(i, 1)
  log.seen = dice.roll(2) === 0
  if (i < log.anchors.length) return { log, isTable: true, expect: found(["anchor_missing"], null, [i, i]) }
  if (log.seen) return { log, isTable: true, expect: found(["anchor_missing"], null) }
  return { log, isTable: true, expect: { _tag: "Unseen", gap: i === 0 ? "no_anchors" : "after_last_anchor", count: 1 } }
}

const renameAnchor: Tampering = (dice, world) => {
  if (world.anchors.length === 0) return undefined
  const log = copy(world)
  const i = dice.roll(log.anchors.length)
  const one = log.anchors[i]
  if (one === undefined) return undefined
  const name = dice.pick([`1${one.name.slice(1)}`, one.name.slice(0, -1), `${one.name.slice(0, 11)}${"0".repeat(16)}`])
  log.anchors[i] = { ...one, name }
  return { log, isTable: true, expect: found(["anchor_altered"], null, undefined, ["anchor_missing"]) }
}

const forgeAnchor: Tampering = (dice, world) => {
  const i = dice.roll(world.checked.length)
  const one = world.checked[i]
  if (one === undefined) return undefined
  const log = copy(world)
  log.anchors[i] = storedOf(anchorOf(stranger, { ...one.anchor, before: one.before }, one.anchor.leaves))
  return { log, isTable: true, expect: found(["anchor_altered"], null, [i, i]) }
}

const signTwice: Tampering = (dice, world) => {
  const i = dice.roll(world.checked.length)
  const one = world.checked[i]
  if (one === undefined) return undefined
  const log = copy(world)
  const [first, ...rest] = one.anchor.leaves
  if (typeof first === "string") return undefined
  const other = anchorOf(signer, { ...one.anchor, before: one.before }, [{ ...first, hash: hashOf("other") }, ...rest])
  log.anchors.splice(i + dice.roll(2), 0, storedOf(other))
  return { log, isTable: true, expect: found(["anchor_forked"], null, undefined, ["rewritten", "anchor_forked"]) }
}

const hideLeaf: Tampering = (dice, world) => {
  const i = dice.roll(world.checked.length)
  const one = world.checked[i]
  const [first, second, ...rest] = one?.anchor.leaves ?? []
  if (one === undefined || first === undefined) return undefined
  const log = copy(world)
  // With only a hash in its place the root still fits; so it does with the leaf among what came before.
  const hash = Merkle.append(digest, Merkle.empty, Anchor.leafHash(digest, first))
  const isWithheld = second === undefined || dice.roll(2) === 0
  const before = Merkle.append(digest, one.before, Anchor.leafHash(digest, first))
  const anchor: Anchor.Anchor = isWithheld
    ? { ...one.anchor, leaves: [Anchor.frontierOf(hash)[0] ?? Chain.empty.hash, ...one.anchor.leaves.slice(1)] }
    : { ...one.anchor, before: Anchor.frontierOf(before), leaves: [second, ...rest] }
  log.anchors[i] = storedOf({ ...one, anchor })
  return { log, isTable: true, expect: found(["anchor_altered"], null) }
}

const stealKey: Tampering = (dice, world) => {
  const last = world.checked.at(-1)
  if (last === undefined) return undefined
  const { id, log, rows } = choose(dice, world)
  rows[0] = rewordedAt(at(rows, 0))
  reseal(rows, 0)
  fix(log, id)
  const held = (id: Id): Log.Summary["head"] => log.held.get(id)?.head ?? Chain.empty.hash
  const leaf = { session: id, seq: rows.length, hash: held(id) }
  log.anchors = [storedOf(anchorOf(signer, { sequence: 0, at: last.anchor.at, before: Merkle.empty }, [leaf]))]
  log.seen = true
  const kinds: ReadonlyArray<Kind> = last.after.size === 1 ? ["anchor_forked"] : ["anchor_missing"]
  return { log, isTable: true, expect: found(kinds, null) }
}

/** Where versions are kept, a later one or a delete marker does not take the anchor away. */
const disturbAnchor: Tampering = (dice, world) => {
  const log = copy(world)
  const i = dice.roll(log.anchors.length)
  const one = log.anchors[i]
  if (one === undefined) return undefined
  const hidden = dice.roll(2) === 0
  const keeping = { place: "s3://anchors", version: "1", lockedUntil: 1, overwritten: !hidden, hidden }
  log.anchors[i] = { ...one, keeping }
  return { log, isTable: true, expect: found([hidden ? "anchor_hidden" : "anchor_overwritten"], null, [i, i]) }
}

/** Under an anchor stands what the witness wrote under another one, or never wrote. */
const forgeCosignature: Tampering = (dice, world) => {
  const log = copy(world)
  const i = dice.roll(log.anchors.length)
  const [one, other] = [log.anchors[i], world.checked[(i + 1) % world.checked.length]]
  if (one === undefined || other === undefined || world.checked.length < 2) return undefined
  const line = Effect.runSync(cosign(witness, Note.formatCheckpoint(other.checkpoint), 1 + dice.roll(1000)))
  log.anchors[i] = { ...one, cosignatures: [line] }
  const expect = found(["cosignature_altered"], null, [i, i])
  return { log, isTable: true, expect, witnesses: [keyOf(witness)] }
}

export const anchors = {
  editAnchor,
  removeAnchor,
  renameAnchor,
  forgeAnchor,
  signTwice,
  hideLeaf,
  stealKey,
  disturbAnchor,
  forgeCosignature
}
