import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { createHash, createPrivateKey, sign } from "node:crypto"
import { Cosignature, Note } from "../../src/audit/index.ts"
import { cosign, keyOf, witnessOf } from "./witnesses.ts"
import { digest, jwk, signer, tools } from "./worlds.ts"

/** A checkpoint of a public log, as a public witness signed it, and that witness's key. */
const publicText = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
const publicLine =
  "— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw=="
const publicWord = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

const parsed = (line: string) => Result.getOrUndefined(Cosignature.parse(line))
const isOf = (text: string, line: string, key: Note.Key) => {
  const read = parsed(line)
  return read !== undefined && Cosignature.isOf(tools.verifier, text, read, key)
}
const key = Result.getOrThrow(Cosignature.parseKey(digest, publicWord))

describe("Cosignature", () => {
  it("believes what a public witness signed of a public log, and nothing near it", () => {
    assert.strictEqual(Cosignature.formatKey(digest, key), publicWord)
    assert.deepInclude(parsed(publicLine), { name: "remora.n621.de", id: "da77ade7", at: 1_779_573_024 })
    assert.isTrue(isOf(publicText, publicLine, key))
    assert.isFalse(isOf(publicText.replace("32\n", "33\n"), publicLine, key))
    for (let i = publicLine.indexOf("2net") + 8; i < publicLine.length - 3; i += 3) {
      const other = publicLine[i] === "A" ? "B" : "A"
      const bent = publicLine.slice(0, i) + other + publicLine.slice(i + 1)
      assert.isFalse(isOf(publicText, bent, key), bent)
    }
  })

  it("reads the time of a published line", () => {
    const line =
      "— w ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="
    assert.deepInclude(parsed(line), { id: "646846b9", at: 1_727_964_367 })
  })

  it.effect("signs the two lines of its own and the whole checkpoint, and nothing else", () =>
    Effect.gen(function*() {
      // The same by hand: key id, message and line put together from the format's description alone.
      const name = "aosiq/test"
      const text = "log.example/1\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextra line\n"
      const at = 1_767_225_600
      const publicKey = Buffer.from(jwk.x, "base64url")
      const id = createHash("sha256").update(name).update(Buffer.from([0x0a, 0x04])).update(publicKey).digest()
      const secret = createPrivateKey({ key: jwk, format: "jwk" })
      const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${at}\n${text}`), secret)
      const time = Buffer.alloc(8)
      time.writeBigUInt64BE(BigInt(at))
      const expected = `— ${name} ${Buffer.concat([id.subarray(0, 4), time, signature]).toString("base64")}`

      const line = yield* cosign(signer, text, at)
      assert.strictEqual(line, expected)
      assert.isTrue(isOf(text, line, keyOf(signer)))
      // A co-signature is no signature of the note, though the key is the same.
      const note = Result.getOrThrow(Note.decode(`${text}\n${line}\n`))
      assert.isTrue(Result.isFailure(Note.verified(tools, note, [keyOf(signer)])))
      assert.isUndefined(Cosignature.keyOf(digest, { name, id: signer.keyId }, [keyOf(signer)]))
    }))

  it.effect("is of the key by name and id, and of no other", () =>
    Effect.gen(function*() {
      const [a, b] = [yield* witnessOf("witness.example/a"), yield* witnessOf("witness.example/b")]
      const text = "log.example/1\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
      const line = yield* cosign(a, text, 7)
      const read = parsed(line)
      assert.isDefined(read)
      const keys = [keyOf(b), keyOf(a)]
      assert.strictEqual(Cosignature.keyOf(digest, read, keys), keys[1])
      assert.isUndefined(Cosignature.keyOf(digest, read, [keyOf(b), { ...keyOf(a), name: "witness.example/c" }]))
      assert.isFalse(isOf(text, line, keyOf(b)))
      assert.isFalse(isOf(text, yield* cosign({ ...b, name: a.name }, text, 7), keyOf(a)))
    }))

  it("refuses keys for another use", () => {
    for (
      const word of [publicWord.replace("+BOvN", "+AevN"), publicWord.replace("da77ade7", "da77ade8"), "w+1+2", ""]
    ) {
      assert.isTrue(Result.isFailure(Cosignature.parseKey(digest, word)), word)
    }
    assert.isTrue(Result.isFailure(Note.parseKey(digest, publicWord)))
    const asLog = Note.formatKey(digest, key)
    assert.notStrictEqual(asLog, publicWord)
    assert.isTrue(Result.isFailure(Cosignature.parseKey(digest, asLog)))
  })

  it("reads no line but a whole one", () => {
    const [, , encoded = ""] = publicLine.split(" ")
    const bytes = Buffer.from(encoded, "base64")
    const of = (bytes: Buffer, name = "w") => `— ${name} ${bytes.toString("base64")}`
    assert.isDefined(parsed(of(bytes)))
    const late = Buffer.from(bytes)
    late.writeBigUInt64BE(2n ** 63n, 4)
    const bad = [
      "",
      "—",
      `${publicLine}\n`,
      `${publicLine} `,
      publicLine.slice(2),
      of(bytes.subarray(0, -1)),
      of(Buffer.concat([bytes, bytes])),
      of(late),
      of(bytes, "a+b"),
      of(bytes, ""),
      `— w ${encoded.slice(0, -2)}`
    ]
    for (const line of bad) assert.isUndefined(parsed(line), line)
  })

  it("has one place for each key", () => {
    assert.strictEqual(Cosignature.slotOf(publicLine), `da77ade7-${Buffer.from("remora.n621.de").toString("hex")}`)
    assert.isUndefined(Cosignature.slotOf("../../etc/passwd"))
    assert.match(Cosignature.slotOf(publicLine.replace("remora.n621.de", "../x/é".repeat(40))) ?? "", /^[0-9a-f-]{57}$/)
  })
})
