import { assert, describe, it } from "@effect/vitest"
import { type Finding, Verify } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { newest } from "./tampering/index.ts"
import { digest, grow, keys, signer, stranger, tools, type World, Writer } from "./worlds.ts"

const verify = (world: World, terms: Partial<Verify.Terms> = {}) =>
  Verify.all(tools, { ...world, sessions: [...world.held.values()], keys, seen: newest(world), ...terms })

/** What a report admits, but that there is no witness. */
const gapsOf = (report: Finding.Report) =>
  report.unchecked.map(({ kind }) => kind).filter((kind) => kind !== "no_witnesses")

describe("Verify", () => {
  it("finds nothing in 1,000 logs that nobody touched", () => {
    for (let seed = 1; seed <= 1000; seed++) {
      const world = grow(seed)
      const report = verify(world)
      assert.deepStrictEqual(report.findings, [], `seed ${seed}`)
      assert.isTrue(report.ok)
      assert.strictEqual(report.rows, [...world.rows.values()].flat().length)
      const uncovered = [...world.rows].reduce((n, [id, rows]) => n + rows.length - (world.covered.get(id) ?? 0), 0)
      const gap = world.anchors.length === 0 ? "no_anchors" : "after_last_anchor"
      assert.deepStrictEqual(report.unchecked.map(({ count, kind }) => `${kind} ${count}`), [
        `${gap} ${uncovered}`,
        ...world.anchors.length === 0 ? [] : ["no_witnesses null"]
      ])
    }
  }, 120_000)
})

describe("Verify.all", () => {
  const id = Claims.SessionId.make("s")
  const written = () => {
    const writer = new Writer()
    writer.open(id, null)
    writer.anchor()
    return writer
  }

  it("admits that it has no key, or only one that came along", () => {
    const world = written().world()
    assert.deepStrictEqual(gapsOf(verify(world, { keys: [] })), ["after_last_anchor", "no_keys"])
    assert.deepStrictEqual(gapsOf(verify(world, { areKeysOwn: true })), ["after_last_anchor", "own_keys"])
  })

  it("believes anchors of every key that it is given, and of no other", () => {
    const world = written().world()
    const other = { name: stranger.name, publicKey: stranger.publicKey }
    assert.isTrue(verify(world, { keys: [other, ...keys] }).ok)
    const report = verify(world, { keys: [other], seen: [] })
    assert.deepStrictEqual(report.findings.map(({ kind, seq }) => [kind, seq]), [["anchor_altered", 0]])
    assert.include(report.findings[0]?.detail, signer.keyId)
    // Nothing that the anchor says is believed either.
    assert.deepStrictEqual(gapsOf(report), ["no_anchors"])
  })

  it("admits that payloads and sessions were left out", () => {
    const world = written().world()
    const report = verify({ ...world, payloads: null as never }, { isComplete: false })
    assert.isTrue(report.ok)
    assert.deepStrictEqual(gapsOf(report), ["after_last_anchor", "other_sessions", "payloads_left_out"])
  })

  it("tells text that is not Unicode from text with the same hash", () => {
    const writer = written()
    const hash = writer.payload("\ufffd")
    writer.append(id, null, { kind: "ended", status: "failed", result: hash, reason: "" })
    assert.strictEqual(digest.sha256("\"\ud800\""), hash)
    assert.isTrue(verify(writer.world()).ok)
    writer.payloads.set(hash, "\"\ud800\"")
    assert.deepStrictEqual(verify(writer.world()).findings.map(({ kind, seq }) => [kind, seq]), [[
      "payload_altered",
      2
    ]])
  })

  it("gives the newest checkpoint, to be kept for the next time", () => {
    const writer = written()
    const before = verify(writer.world()).checkpoint
    assert.isNotNull(before)
    writer.append(id, null, { kind: "started", epoch: 2 })
    writer.anchor()
    const after = writer.world()
    assert.isTrue(verify(after, { seen: [before] }).ok)
    assert.notStrictEqual(verify(after).checkpoint, before)
  })

  it("misses an anchor of which the checkpoint was kept, wherever it stood", () => {
    const writer = written()
    for (const epoch of [2, 3]) {
      writer.append(id, null, { kind: "started", epoch })
      writer.anchor()
    }
    const world = writer.world()
    for (const [gone, { anchor }] of world.checked.entries()) {
      const anchors = world.anchors.toSpliced(gone, 1)
      const { findings } = verify({ ...world, anchors }, { seen: [anchor.checkpoint] })
      assert.deepStrictEqual([...new Set(findings.map(({ kind }) => kind))], ["anchor_missing"])
    }
  })

  it("refuses a kept checkpoint that is none, or is not signed", () => {
    const world = written().world()
    const [checkpoint = ""] = newest(world)
    for (const seen of ["", checkpoint.replace("number 0", "number 1")]) {
      const [finding] = verify(world, { seen: [seen] }).findings
      assert.strictEqual(finding?.kind, "anchor_altered")
    }
  })

  it("sees a chain that was regrown past an anchor and anchored again", () => {
    const writer = written()
    const rows = writer.rows.get(id) ?? []
    writer.rows.set(id, rows.slice(0, 1))
    writer.append(id, null, { kind: "started", epoch: 9 })
    writer.append(id, null, { kind: "started", epoch: 10 })
    writer.anchor()
    assert.deepStrictEqual(verify(writer.world()).findings.map(({ kind, seq }) => [kind, seq]), [["rewritten", 0]])
  })
})

describe("Verify.session", () => {
  const world = grow(77)
  const [id, rows] = [...world.rows][0] ?? []

  it("verifies rows on their own", () => {
    assert.isDefined(rows)
    assert.isUndefined(Verify.session(digest, rows))
    assert.isUndefined(Verify.session(digest, rows, { session: id }))
    const [first, second, ...rest] = rows
    assert.isDefined(first)
    assert.isDefined(second)
    assert.strictEqual(Verify.session(digest, [first, ...rest])?.kind, "deleted")
    assert.strictEqual(Verify.session(digest, [first, { ...second, at: 0 }, ...rest])?.kind, "edited")
  })

  it("takes anything for a row and nothing that is none", () => {
    for (const row of [null, 1, "row", [], {}, { v: 1 }, { v: 1, session: "s", seq: 0.5, prev: "", hash: "" }]) {
      assert.strictEqual(Verify.session(digest, [row])?.kind, "edited")
    }
    assert.strictEqual(Verify.session(digest, [])?.kind, "bad_genesis")
    assert.isDefined(rows)
    // Text without a canonical form has no hash: it must not stop the verifier.
    const broken = rows.map((row, i) => i === 2 ? { ...row, key: "\ud800" } : row)
    assert.deepInclude(Verify.session(digest, broken), { kind: "edited", seq: 2 })
  })
})
