import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { readFileSync } from "node:fs"
import { Bundle, Note } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { backlog, child, written } from "./golden/log.ts"
import { layerHolding, layerLog, layerTools } from "./logs.ts"
import { cosign, keyOf, witnessOf } from "./witnesses.ts"
import { dice, digest, grow, keys, signer, stranger, type Writer } from "./worlds.ts"

const over = (writer: Writer) => Layer.mergeAll(layerLog(writer), layerTools, layerHolding(writer.world().anchors))

/** The same log, of which witnesses signed the first anchor, kept in a bucket where somebody was at work. */
const cosigned = Effect.gen(function*() {
  const writer = written()
  const [first, ...rest] = writer.world().anchors
  const text = Note.formatCheckpoint(writer.checked[0]?.checkpoint ?? { origin: "", size: 0, root: "", extensions: [] })
  const by = [yield* witnessOf("witness.example/w1"), yield* witnessOf("witness.example/w2")]
  const cosignatures = yield* Effect.forEach(by, (by, i) => cosign(by, text, 1_767_225_600 + i))
  const keeping = {
    place: "s3://anchors/aosiq/first.json",
    version: "v-1",
    lockedUntil: 1_800_000_000_000,
    overwritten: false,
    hidden: true
  }
  assert.isDefined(first)
  return Layer.mergeAll(layerLog(writer), layerTools, layerHolding([{ ...first, cosignatures, keeping }, ...rest]))
})

const bundle = (choice: Partial<Bundle.Choice> = {}) =>
  Stream.mkString(Bundle.write({ sessions: "all", keys, ...choice }))
const reasonOf = (text: string) =>
  Result.match(Bundle.read(digest, text), { onFailure: ({ reason }) => reason, onSuccess: () => undefined })
/** What a report admits, but that there is no witness. */
const gaps = (report: { readonly unchecked: ReadonlyArray<{ readonly kind: string }> }) =>
  report.unchecked.map(({ kind }) => kind).filter((kind) => kind !== "no_witnesses")
const kinds = (report: { readonly findings: ReadonlyArray<{ readonly kind: string }> }) =>
  report.findings.map(({ kind }) => kind)
const otherKey = { name: stranger.name, publicKey: stranger.publicKey }
const line = (value: Parameters<typeof digest.canonical>[0]) => digest.canonical(value)

describe("Bundle", () => {
  it.effect("is verified without the log that it came from", () =>
    Effect.gen(function*() {
      const text = yield* bundle()
      const report = yield* Bundle.verify(text, { keys })
      assert.deepInclude(report, { ok: true, sessions: 2, rows: 13, anchors: 2 })
      assert.deepStrictEqual(report.unchecked.map(({ count, kind }) => [kind, count]), [
        ["after_last_anchor", 1],
        ["no_witnesses", null]
      ])
    }).pipe(Effect.provide(over(written()))))

  it.effect("vouches for nothing with its own keys, and says so", () =>
    Effect.gen(function*() {
      const report = yield* Bundle.verify(yield* bundle())
      assert.isTrue(report.ok)
      assert.deepStrictEqual(gaps(report), ["after_last_anchor", "own_keys"])
      assert.deepStrictEqual(gaps(yield* Bundle.verify(yield* bundle({ keys: [] }))), ["after_last_anchor", "no_keys"])
      const untrusted = yield* Bundle.verify(yield* bundle(), { keys: [otherKey] })
      assert.deepStrictEqual(kinds(untrusted), ["anchor_altered", "anchor_altered"])
    }).pipe(Effect.provide(over(written()))))

  it.effect("holds no token", () =>
    Effect.gen(function*() {
      assert.notInclude(yield* bundle(), "secret")
    }).pipe(Effect.provide(over(written()))))

  it.effect("shows one session without the others, and misses it when it is taken out", () =>
    Effect.gen(function*() {
      const text = yield* bundle({ sessions: [child] })
      const lines = text.split("\n")
      // The child's genesis names its parent; nothing else does.
      const others = lines.filter((line) => line.includes(`"${backlog}"`))
      assert.strictEqual(others.length, 1)
      assert.include(others[0], "\"kind\":\"genesis\"")
      const report = yield* Bundle.verify(text, { keys })
      assert.deepInclude(report, { ok: true, sessions: 1, rows: 8, anchors: 2 })
      assert.deepStrictEqual(gaps(report), ["after_last_anchor", "other_sessions"])

      const without = lines.filter((line) => !/^\{"(session|row|payload)"/.test(line))
      const end = line({ end: { anchors: 2, keys: 1, payloads: 0, rows: 0, sessions: 0 } })
      const emptied = [...without.filter((line) => line !== "" && !line.startsWith("{\"end\"")), end, ""].join("\n")
      assert.deepStrictEqual(kinds(yield* Bundle.verify(emptied, { keys })), ["session_removed"])
    }).pipe(Effect.provide(over(written()))))

  it.effect("cannot pass off chosen sessions for all", () =>
    Effect.gen(function*() {
      const text = yield* bundle({ sessions: [child] })
      const claimed = text.replace(`"sessions":["${child}"]`, "\"sessions\":\"all\"")
      assert.notStrictEqual(claimed, text)
      assert.deepStrictEqual(kinds(yield* Bundle.verify(claimed, { keys })), ["session_removed", "anchor_altered"])
    }).pipe(Effect.provide(over(written()))))

  it.effect("leaves payloads out when asked to", () =>
    Effect.gen(function*() {
      const text = yield* bundle({ payloads: false })
      assert.notInclude(text, "{\"payload\"")
      assert.deepStrictEqual(gaps(yield* Bundle.verify(text, { keys })), ["after_last_anchor", "payloads_left_out"])
    }).pipe(Effect.provide(over(written()))))

  it.effect("counts payloads that were erased", () => {
    const writer = written()
    writer.payloads.delete([...writer.payloads.keys()][0] ?? "")
    return Effect.gen(function*() {
      const report = yield* Bundle.verify(yield* bundle(), { keys })
      assert.isTrue(report.ok)
      assert.deepInclude(report.unchecked, {
        kind: "payload_missing",
        count: 1,
        detail: "payloads erased: 1; the rows that name them stand"
      })
    }).pipe(Effect.provide(over(writer)))
  })

  it.effect("is not written for a session that is not there", () =>
    Effect.gen(function*() {
      const session = Claims.SessionId.make("nowhere")
      const error = yield* Effect.flip(bundle({ sessions: [child, session] }))
      assert.deepInclude(error, { _tag: "BundleError" })
      assert.deepStrictEqual(
        error._tag === "BundleError" ? error.reason : undefined,
        new Bundle.NoSuchSession({ session })
      )
    }).pipe(Effect.provide(over(written()))))

  it.effect("carries what witnesses signed, and what the place of an anchor says", () =>
    Effect.gen(function*() {
      const text = yield* Effect.provide(bundle(), yield* cosigned)
      const [w1, w2, w3] = yield* Effect.forEach(["w1", "w2", "w3"], (name) =>
        Effect.map(witnessOf(`witness.example/${name}`), keyOf))
      assert.isDefined(w1)
      assert.isDefined(w2)
      assert.isDefined(w3)
      const report = yield* Bundle.verify(text, { keys, witnesses: [w1, w3] })
      assert.deepStrictEqual(report.findings.map(({ kind, seq }) => [kind, seq]), [["anchor_hidden", 0]])
      assert.deepStrictEqual(report.witnesses, [
        { witness: w1.name, anchor: 0, at: 1_767_225_600_000 },
        { witness: w3.name, anchor: null, at: null }
      ])
      assert.deepStrictEqual(report.unchecked.map(({ count, kind }) => [kind, count]), [
        ["after_last_anchor", 1],
        ["not_cosigned", 9],
        ["not_cosigned", 13]
      ])
      // Taken out, they are missed; bent, they are found; with another line in their place, they are none.
      const bare = text.replaceAll(/"cosignatures":\[[^\]]*\]/g, "\"cosignatures\":[]")
      assert.deepStrictEqual((yield* Bundle.verify(bare, { keys, witnesses: [w2] })).witnesses[0]?.anchor, null)
      const [line = ""] = /— witness.example\/w2 [^"]*/.exec(text) ?? []
      const bent = text.replace(line, line.slice(0, 40) + (line[40] === "A" ? "B" : "A") + line.slice(41))
      assert.include(kinds(yield* Bundle.verify(bent, { keys, witnesses: [w2] })), "cosignature_altered")
      const swapped = text.replace("— witness.example/w2", "— witness.example/w9")
      assert.deepStrictEqual((yield* Bundle.verify(swapped, { keys, witnesses: [w2] })).witnesses[0]?.anchor, null)
    }).pipe(Effect.provide(layerTools)))

  it.effect("gives a checkpoint that witnesses signed, for anybody's tools", () =>
    Effect.gen(function*() {
      const by = yield* witnessOf("witness.example/w1")
      const writer = written()
      const last = writer.checked.at(-1)
      assert.isDefined(last)
      const line = yield* cosign(by, Note.formatCheckpoint(last.checkpoint), 7)
      const anchors = writer.world().anchors.map((one, i, all) =>
        i === all.length - 1 ? { ...one, cosignatures: ["— a stranger's", line] } : one
      )
      const layer = Layer.mergeAll(layerLog(writer), layerTools, layerHolding(anchors))
      const text = yield* Effect.provide(bundle(), layer)
      const { checkpoint } = yield* Bundle.verify(text, { keys, witnesses: [keyOf(by)] })
      assert.strictEqual(checkpoint, `${last.anchor.checkpoint}${line}\n`)
      assert.isTrue((yield* Bundle.verify(text, { keys, seen: [checkpoint ?? ""] })).ok)
    }).pipe(Effect.provide(layerTools)))

  it.effect("has what only a later version has in no earlier one", () =>
    Effect.gen(function*() {
      const text = yield* Effect.provide(bundle(), yield* cosigned)
      assert.include(text, "\"version\":2}")
      const reason = reasonOf(text.replace("\"version\":2}", "\"version\":1}"))
      assert.strictEqual(reason?._tag, "BadLine")
      const first = yield* Effect.provide(bundle(), over(written()))
      assert.strictEqual(reasonOf(first.replace("\"version\":1}", "\"version\":2}"))?._tag, "BadLine")
    }))

  it.effect("holds a log of any shape", () =>
    Effect.forEach(Array.from({ length: 20 }, (_, i) => grow(900 + i)), (world) => {
      const log = { held: world.held, rows: world.rows, payloads: world.payloads } as unknown as Writer
      return Effect.gen(function*() {
        assert.deepStrictEqual(kinds(yield* Bundle.verify(yield* bundle(), { keys })), [])
      }).pipe(Effect.provide(Layer.mergeAll(layerLog(log), layerTools, layerHolding(world.anchors))))
    }))
})

describe("Bundle.read", () => {
  const golden = readFileSync(`${import.meta.dirname}/golden/bundle-1.jsonl`, "utf8")
  const lines = golden.split("\n")
  const replaced = (at: number, by: string) => lines.map((line, i) => i === at ? by : line).join("\n")
  const inserted = (at: number, ...more: ReadonlyArray<string>) => lines.toSpliced(at, 0, ...more).join("\n")
  const [header = ""] = lines

  it("refuses what is no bundle of its version", () => {
    const others = [header.replace("\"version\":1", "\"version\":3"), header.replace("aosiq", "other"), "{}", "", "[1"]
    for (const first of [...others, ` ${header}`]) assert.strictEqual(reasonOf(replaced(0, first))?._tag, "NotABundle")
    assert.strictEqual(reasonOf("")?._tag, "NotABundle")
  })

  it("names the line that a bundle does not have", () => {
    const row = lines.findIndex((line) => line.startsWith("{\"row\""))
    const key = lines.findIndex((line) => line.startsWith("{\"key\""))
    const session = lines.findIndex((line) => line.startsWith("{\"session\""))
    const payload = lines.findIndex((line) => line.startsWith("{\"payload\""))
    const bad: ReadonlyArray<readonly [number, string]> = [
      [row, replaced(row, (lines[row] ?? "").replace("{", "{ "))],
      [row, replaced(row, (lines[row] ?? "").replace("{\"row\"", "{\"row\":1,\"row\""))],
      [row, replaced(row, "{\"row\":1e400}")],
      [row, replaced(row, `{"row":${"[".repeat(50_000)}${"]".repeat(50_000)}}`)],
      [row, replaced(row, "{\"row\":\"\ud800\"}")],
      [row, replaced(row, "{\"rows\":1}")],
      [row, replaced(row, "null")],
      [key, replaced(key, line({ key: "somebody+00000000+AAAA" }))],
      [session, inserted(session, line({ row: {} }))],
      [row, inserted(row, lines[session] ?? "")],
      [payload, inserted(payload, lines[payload] ?? "")],
      [lines.length - 1, inserted(lines.length - 1, "{}")]
    ]
    for (const [at, text] of bad) {
      const reason = reasonOf(text)
      assert.strictEqual(reason?._tag, "BadLine", text.slice(0, 60))
      if (reason?._tag === "BadLine") assert.include([at + 1, at + 2], reason.line)
    }
  })

  it("misses the end, and whatever the end counts", () => {
    for (let cut = 1; cut < lines.length - 1; cut++) {
      assert.strictEqual(reasonOf(lines.slice(0, cut).join("\n"))?._tag, "CutOff")
      assert.strictEqual(reasonOf([...lines.slice(0, cut), ""].join("\n"))?._tag, "CutOff")
      // Without the line of their session, rows stand in the wrong place first.
      if (cut < lines.length - 2) {
        assert.include(["CutOff", "BadLine"], reasonOf(lines.toSpliced(cut, 1).join("\n"))?._tag)
      }
    }
    const payload = lines.findIndex((line) => line.startsWith("{\"payload\""))
    assert.deepInclude(reasonOf(lines.toSpliced(payload, 1).join("\n")), { _tag: "CutOff", line: lines.length - 2 })
    assert.strictEqual(reasonOf(golden.slice(0, -1))?._tag, "CutOff")
  })

  it.effect("is never fooled by another character in a row, an anchor or a payload", () =>
    Effect.gen(function*() {
      const d = dice(4711)
      const guarded = lines.flatMap((line, at) => /^\{"(session|row|anchor|payload)"/.test(line) ? [at] : [])
      for (let i = 0; i < 1500; i++) {
        const at = d.pick(guarded)
        const line = lines[at] ?? ""
        const cut = d.roll(line.length)
        const other = d.pick([..." 0a}\",:é"].filter((char) => char !== line[cut]))
        const text = replaced(at, line.slice(0, cut) + other + line.slice(cut + 1))
        if (reasonOf(text) !== undefined) continue
        const report = yield* Bundle.verify(text, { keys })
        // A payload under another hash is one that was erased, and one that no row names.
        assert.isFalse(report.ok, text.split("\n")[at])
      }
    }).pipe(Effect.provide(layerTools)))
})

describe("the golden bundles", () => {
  // A changed file is another format: add a file, and keep these.
  const hashes = {
    1: "be193cfcf98d8e494d6d25e6f289cfa9f50f8722c43665f2ed15ee501c69261f",
    2: "f2eb63fa3b01b19f40276b5dafecf9390b7aa631018c82767a9885d9c7c41009"
  }
  const read = (name: string) => readFileSync(`${import.meta.dirname}/golden/${name}`, "utf8")

  it.effect("keep verifying, and reports still say what they said", () =>
    Effect.gen(function*() {
      assert.strictEqual(digest.sha256(read("bundle-1.jsonl")), hashes[1])
      const { unchecked, witnesses, ...report } = yield* Bundle.verify(read("bundle-1.jsonl"), { keys })
      const { unchecked: admitted, ...golden } = JSON.parse(read("report-1.json"))
      assert.deepStrictEqual(report, golden)
      // Since then it is admitted as well that no witness was heard.
      assert.deepStrictEqual(unchecked.filter(({ kind }) => kind !== "no_witnesses"), admitted)
      assert.deepStrictEqual(witnesses, [])

      assert.strictEqual(digest.sha256(read("bundle-2.jsonl")), hashes[2])
      const trust = { keys, witnesses: [keyOf(yield* witnessOf("witness.example/w1"))] }
      assert.deepStrictEqual(yield* Bundle.verify(read("bundle-2.jsonl"), trust), JSON.parse(read("report-2.json")))
    }).pipe(Effect.provide(layerTools)))

  it.effect("are what is still written for their log, byte for byte", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_767_225_700_000)
      const text = (layer: ReturnType<typeof over>) => Effect.provide(bundle(), layer)
      assert.strictEqual(yield* text(over(written())), read("bundle-1.jsonl"))
      assert.strictEqual(yield* text(yield* cosigned), read("bundle-2.jsonl"))
    }))

  it("name their key as auditors are given it", () => {
    for (const version of [1, 2]) {
      assert.include(read(`bundle-${version}.jsonl`), `{"key":"${signer.name}+${signer.keyId}+`)
    }
  })
})
