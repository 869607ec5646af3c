import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { Base64, Base64Url } from "effect/encoding"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Note, Signer } from "../../src/audit/index.ts"

const { digest } = NodeDigest
const { verifier } = NodeEd25519
const tools = { digest, verifier }

/** The keys and signatures that the format's reference implementation, golang.org/x/mod/sumdb/note, is tested with. */
const peterWord = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
const peterSeed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
const enochWord = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peterLine =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
const enochLine =
  "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"

const keyOf = (word: string) => Result.getOrThrow(Note.parseKey(digest, word))
const peter = keyOf(peterWord)
const enoch = keyOf(enochWord)
const reason = (result: Result.Result<unknown, Note.NoteError>) =>
  Result.isFailure(result) ? result.failure.reason._tag : "accepted"
const open = (note: string, keys: ReadonlyArray<Note.Key>) =>
  Result.flatMap(Note.decode(note), (note) => Note.verified(tools, note, keys))

/** A JWK of the reference implementation's private key: its type byte, then the 32 bytes that RFC 8037 calls `d`. */
const peterJwk = {
  kty: "OKP",
  crv: "Ed25519",
  x: Base64Url.encode(Result.getOrThrow(Base64.decode(peter.publicKey))),
  d: Base64Url.encode(Result.getOrThrow(Base64.decode(peterSeed)).subarray(1))
}

const refusal = (name: string, privateJwk: NodeEd25519.PrivateJwk) =>
  Effect.flip(Effect.provide(Signer.Signer, NodeEd25519.layer({ name, privateJwk })))

describe("Note keys", () => {
  it("reads and writes the reference keys", () => {
    for (const word of [peterWord, enochWord]) assert.strictEqual(Note.formatKey(digest, keyOf(word)), word)
    assert.strictEqual(Note.keyId(digest, peter), "c74f20a3")
  })

  it("refuses every word but the right one", () => {
    for (let from = 0; from < peterWord.length; from++) {
      for (let to = from + 1; to <= peterWord.length; to++) {
        if (from !== 0 || to !== peterWord.length) {
          assert.strictEqual(reason(Note.parseKey(digest, peterWord.slice(from, to))), "Malformed")
        }
      }
    }
    for (let i = 0; i < peterWord.length; i++) {
      const other = String.fromCharCode(peterWord.charCodeAt(i) + 1)
      const mangled = peterWord.slice(0, i) + other + peterWord.slice(i + 1)
      assert.strictEqual(reason(Note.parseKey(digest, mangled)), "Malformed", mangled)
    }
    const longer = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="
    const ofAnotherType = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    for (const word of [longer, ofAnotherType]) assert.strictEqual(reason(Note.parseKey(digest, word)), "Malformed")
  })

  it("knows what can be a name", () => {
    for (const name of ["aosiq/berlin", "grüße"]) assert.isTrue(Note.isName(name), name)
    for (const name of ["", "a b", "a+b", "a\u00a0b", "a\u0085b", "a\nb", "\ud800"]) assert.isFalse(Note.isName(name))
  })
})

describe("Note", () => {
  it("reads what it wrote", () => {
    const note = Result.getOrThrow(Note.decode(`${text}\n${peterLine}${enochLine}`))
    assert.strictEqual(note.text, text)
    assert.deepStrictEqual(note.signatures.map((line) => line.id), ["c74f20a3", "af0cfe78"])
    assert.strictEqual(Note.encode(note), `${text}\n${peterLine}${enochLine}`)
  })

  it("names the given keys that signed, and passes over the others", () => {
    const both = `${text}\n${peterLine}${enochLine}`
    assert.deepStrictEqual(Result.getOrThrow(open(both, [peter])), [peter])
    assert.deepStrictEqual(Result.getOrThrow(open(both, [peter, enoch])), [peter, enoch])
    assert.strictEqual(reason(open(both, [])), "UnknownSigner")
    assert.strictEqual(reason(open(both, [{ ...peter, name: "PeterNeuman" }])), "UnknownSigner")
  })

  it("is spoilt by a bad line of a given key, and by a changed text", () => {
    const bent = `${peterLine.slice(0, 60)}ABCD${peterLine.slice(60)}`
    assert.strictEqual(reason(open(`${text}\n${bent}`, [peter])), "BadSignature")
    assert.strictEqual(reason(open(`${text}\n${bent}${enochLine}`, [peter, enoch])), "BadSignature")
    assert.strictEqual(reason(open(`${text.replace("answer", "answeR")}\n${peterLine}`, [peter])), "BadSignature")
  })

  it("refuses what is not written as a note", () => {
    const refused = [
      text,
      `${text}\n`,
      `${text}\n${peterLine.slice(0, -1)}`,
      `\u0001${text}\n${peterLine}`,
      `\ud800${text}\n${peterLine}`,
      `${text}\n${peterLine.replace("PeterNeumann", "Bad Name")}`,
      `${text}\n${peterLine.replace("PeterNeumann", "Bad+Name")}`,
      `${text}\n${peterLine.replace("—", "-")}`,
      `${text}\n${peterLine}Unexpected line.\n`,
      // The last bits of base64 that stand for nothing: another text of the same bytes.
      `${text}\n${peterLine.replace("nAM=", "nAN=")}`,
      `\n${peterLine}`
    ]
    for (const note of refused) assert.strictEqual(reason(Note.decode(note)), "Malformed", note)
  })

  it("bounds the signatures", () => {
    const signed = `${text}\n${peterLine.repeat(Note.maxSignatures)}`
    assert.strictEqual(reason(open(signed, [peter])), "accepted")
    assert.strictEqual(reason(open(signed + peterLine, [peter])), "Malformed")
  })

  it("says what is wrong without the text", () => {
    const errors = [Note.decode("x"), open(`${text}\n${peterLine}`, []), open(`x\n\n${peterLine}`, [peter])]
    const words = errors.map((result: Result.Result<unknown, Note.NoteError>) =>
      Result.isFailure(result) ? Note.explain(result.failure) : ""
    )
    assert.deepStrictEqual(words, [
      "no blank line before the signatures",
      "signed by PeterNeumann+c74f20a3, which is none of the given keys",
      "the signature of PeterNeumann+c74f20a3 does not fit the text"
    ])
  })
})

describe("Ed25519", () => {
  it.effect("signs the reference note byte for byte", () =>
    Effect.gen(function*() {
      const note = yield* Note.sign(text)
      assert.strictEqual(Note.encode(note), `${text}\n${peterLine}`)
    }).pipe(Effect.provide(NodeEd25519.layer({ name: "PeterNeumann", privateJwk: peterJwk }))))

  it.effect("refuses keys that are not Ed25519 pairs, and names that notes cannot carry", () =>
    Effect.gen(function*() {
      const enochX = Base64Url.encode(Result.getOrThrow(Base64.decode(enoch.publicKey)))
      const { d: _, ...publicOnly } = peterJwk
      for (
        const jwk of [{ ...peterJwk, x: enochX }, publicOnly, { ...peterJwk, crv: "X25519" }, { ...peterJwk, d: "AA" }]
      ) {
        const error = yield* refusal("aosiq/test", jwk)
        assert.include(error.remedy, "Ed25519 private key")
        assert.notInclude(error.detail, peterJwk.d)
      }
      assert.include((yield* refusal("two words", peterJwk)).detail, "two words")
    }))

  it("takes nothing for a signature that is none", () => {
    const signature = Base64.encode(Result.getOrThrow(Base64.decode(peterLine.slice(15, -1))).subarray(4))
    assert.isTrue(verifier.verify(text, signature, peter.publicKey))
    assert.isFalse(verifier.verify(text, signature, enoch.publicKey))
    assert.isFalse(verifier.verify(text, "AAAA", peter.publicKey))
    assert.isFalse(verifier.verify(text, "not base64", peter.publicKey))
    assert.isFalse(verifier.verify(text, signature, "AAAA"))
  })
})

describe("Checkpoint", () => {
  const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
  const written = `example.com/behind-the-sofa\n20852163\n${root}\n`

  it("reads and writes the specification's example", () => {
    const checkpoint = { origin: "example.com/behind-the-sofa", size: 20852163, root, extensions: [] }
    assert.deepStrictEqual(Result.getOrThrow(Note.parseCheckpoint(written)), checkpoint)
    assert.strictEqual(Note.formatCheckpoint(checkpoint), written)
    const extended = { ...checkpoint, size: 0, extensions: ["time x", "y"] }
    assert.deepStrictEqual(Result.getOrThrow(Note.parseCheckpoint(Note.formatCheckpoint(extended))), extended)
  })

  it("refuses what is not written as a checkpoint", () => {
    const refused = [
      "",
      written.slice(0, -1),
      `\n1\n${root}\n`,
      `a\n01\n${root}\n`,
      `a\n-1\n${root}\n`,
      `a\n9999999999999999\n${root}\n`,
      `a\n1\n${root.slice(0, -4)}\n`,
      `a\n1\n${root.replace("2I=", "2J=")}\n`,
      `a\n1\n`,
      `${written}\n`,
      `${written}x\n\ny\n`
    ]
    for (const text of refused) assert.strictEqual(reason(Note.parseCheckpoint(text)), "Malformed", text)
  })
})
