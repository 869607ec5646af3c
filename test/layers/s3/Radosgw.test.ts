/**
 * Object Lock and versions on a real service. AOSIQ_TEST_S3_ENDPOINT names it, with the keys of whoever owns the bucket,
 * and of a writer who may put and not delete.
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client
} from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Result } from "effect"
import { type Bucket, S3Anchors } from "../../../layers/s3/index.ts"
import { Alerts, Anchor, Anchoring, Note, Verify } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { anchors, suite } from "../../audit/AnchorsSuite.ts"
import { layerLog, layerTools } from "../../audit/logs.ts"
import { cosign, witnessOf } from "../../audit/witnesses.ts"
import { keys, storedOf, Writer } from "../../audit/worlds.ts"

const env = (name: string) => process.env[`AOSIQ_TEST_S3_${name}`] ?? ""
const endpoint = env("ENDPOINT")
const isHere = endpoint !== ""
const owner = { accessKeyId: env("ACCESS_KEY_ID"), secretAccessKey: env("SECRET_ACCESS_KEY") }
const writer = { accessKeyId: env("WRITER_ACCESS_KEY_ID"), secretAccessKey: env("WRITER_SECRET_ACCESS_KEY") }

const clientOf = (credentials: typeof owner) =>
  new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials })
const [asOwner, asWriter] = [clientOf(owner), clientOf(writer)]
const day = 86_400_000
let buckets = 0

/** A bucket of the owner's, in which the writer may put, read and list. */
const bucket = (isLocked: boolean) =>
  Effect.promise(async () => {
    const name = `aosiq-${process.pid}-${buckets++}`
    await asOwner.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: isLocked }))
    const policy = {
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: { AWS: ["arn:aws:iam:::user/writer"] },
        Action: [
          "s3:PutObject",
          "s3:PutObjectRetention",
          "s3:GetObject",
          "s3:GetObjectVersion",
          "s3:GetObjectRetention",
          "s3:ListBucket",
          "s3:ListBucketVersions",
          "s3:GetBucketVersioning"
        ],
        Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`]
      }]
    }
    await asOwner.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(policy) }))
    return name
  })
const options = (name: string, change: Partial<Bucket.Options> = {}): Bucket.Options => ({
  bucket: name,
  prefix: "aosiq/",
  region: "us-east-1",
  endpoint,
  credentials: { accessKeyId: writer.accessKeyId, secretAccessKey: Redacted.make(writer.secretAccessKey) },
  retention: { mode: "COMPLIANCE", days: 1 },
  ...change
})
const layerIn = (name: string, change: Partial<Bucket.Options> = {}) => S3Anchors.layer(options(name, change))

/** How a request ended: 200, or the status of its refusal. */
const statusOf = (request: Promise<unknown>) =>
  Effect.map(
    Effect.result(Effect.tryPromise(() => request)),
    Result.match({
      onSuccess: () => 200,
      onFailure: ({ cause }) =>
        (cause as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0
    })
  )
const alerts = Effect.map(
  Effect.flatMap(Alerts.Alerts, ({ list }) => list),
  (list) => list.map(({ kind, resolvedAt }) => `${resolvedAt === null ? "open" : "resolved"} ${kind}`)
)
const [first, second, third] = anchors(3)
assert.isDefined(first)
assert.isDefined(second)
assert.isDefined(third)
const keyOf = ({ anchor }: Anchor.Checked) => `aosiq/${Anchor.nameOf(anchor)}.json`
const own = (stored: ReadonlyArray<Anchor.Stored>) => stored.map((one) => ({ ...one, keeping: null }))

describe.skipIf(!isHere)("S3Anchors [radosgw]", () => {
  suite(
    "s3 [radosgw]",
    // The clock of these tests stands still in 1970: nothing can be held until then.
    Layer.unwrap(Effect.map(bucket(true), (name) => layerIn(name, { retention: "none" }))).pipe(
      Layer.provide(Alerts.layerMemory)
    )
  )

  it.live("puts each anchor and co-signature under retention, and knows its version and until when", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      yield* Effect.gen(function*() {
        const { append, cosign: keep, list } = yield* Anchor.Anchors
        const begun = Date.now()
        yield* append(first.anchor)
        const by = yield* witnessOf("witness.example/w1")
        yield* keep(Anchor.nameOf(first.anchor), yield* cosign(by, Note.formatCheckpoint(first.checkpoint), 1))
        const [stored] = yield* list(0)
        assert.isDefined(stored)
        assert.isNotNull(stored.keeping)
        assert.strictEqual(stored.keeping.place, `s3://${name}/${keyOf(first)}`)
        assert.isNotNull(stored.keeping.version)
        assert.closeTo(stored.keeping.lockedUntil ?? 0, begun + day, 60_000)
        assert.deepInclude(stored.keeping, { hidden: false, overwritten: false })
        assert.lengthOf(stored.cosignatures, 1)
        const all = yield* Effect.promise(() => asOwner.send(new ListObjectVersionsCommand({ Bucket: name })))
        assert.lengthOf(all.Versions ?? [], 2)
        for (const { Key, VersionId } of all.Versions ?? []) {
          const held = yield* Effect.promise(() =>
            asWriter.send(new GetObjectRetentionCommand({ Bucket: name, Key: Key!, VersionId: VersionId! }))
          )
          assert.strictEqual(held.Retention?.Mode, "COMPLIANCE")
        }
        assert.deepStrictEqual(yield* alerts, [])
      }).pipe(Effect.provide(layerIn(name)))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("gives the anchor that was put first, and says that another was put over it", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      yield* Effect.gen(function*() {
        const { append, list, names } = yield* Anchor.Anchors
        yield* append(first.anchor)
        yield* append(second.anchor)
        // Whoever may put can put over a key, as can the owner of the bucket.
        for (const [client, text] of [[asWriter, "{}"], [asOwner, "something else"]] as const) {
          const put = new PutObjectCommand({ Bucket: name, Key: keyOf(first), Body: text })
          assert.strictEqual(yield* statusOf(client.send(put)), 200)
          const found = yield* list(0)
          assert.deepStrictEqual(own(found), [first, second].map(storedOf))
          assert.deepStrictEqual(found.map(({ keeping }) => keeping?.overwritten), [true, false])
          assert.deepStrictEqual((yield* names).map(({ keeping }) => keeping?.overwritten), [true, false])
        }
        // The same text put again, as by a writer whose answer was lost, is no harm.
        yield* Effect.promise(() =>
          asWriter.send(new PutObjectCommand({ Bucket: name, Key: keyOf(second), Body: Anchor.encode(second.anchor) }))
        )
        assert.deepStrictEqual((yield* names).map(({ keeping }) => keeping?.overwritten), [true, false])
        yield* append(third.anchor)
        assert.strictEqual((yield* Effect.flip(append(first.anchor))).reason._tag, "Taken")
      }).pipe(Effect.provide(layerIn(name)))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("gives an anchor that was deleted as if it were there, and says that it was hidden", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      yield* Effect.gen(function*() {
        const { append, list, names } = yield* Anchor.Anchors
        yield* append(first.anchor)
        yield* append(second.anchor)
        // A deletion without a version only puts a marker over the key.
        assert.strictEqual(
          yield* statusOf(asOwner.send(new DeleteObjectCommand({ Bucket: name, Key: keyOf(first) }))),
          200
        )
        assert.strictEqual(
          yield* statusOf(asOwner.send(new GetObjectCommand({ Bucket: name, Key: keyOf(first) }))),
          404
        )
        const found = yield* list(0)
        assert.deepStrictEqual(own(found), [first, second].map(storedOf))
        assert.deepStrictEqual(found.map(({ keeping }) => keeping?.hidden), [true, false])
        assert.deepStrictEqual((yield* names).map(({ keeping }) => keeping?.hidden), [true, false])
        assert.strictEqual((yield* Effect.flip(append(first.anchor))).reason._tag, "Taken")
        assert.deepStrictEqual(own(yield* list(1)), [storedOf(second)])
      }).pipe(Effect.provide(layerIn(name)))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("is not deleted, nor held for a shorter time, by its writer or by the owner of the bucket", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      yield* Effect.gen(function*() {
        const { append, list } = yield* Anchor.Anchors
        yield* append(first.anchor)
        const [stored] = yield* list(0)
        assert.isDefined(stored)
        const at = { Bucket: name, Key: keyOf(first), VersionId: stored.keeping?.version ?? "" }
        for (const client of [asWriter, asOwner]) {
          const bypass = { BypassGovernanceRetention: true }
          assert.strictEqual(yield* statusOf(client.send(new DeleteObjectCommand(at))), 403)
          assert.strictEqual(yield* statusOf(client.send(new DeleteObjectCommand({ ...at, ...bypass }))), 403)
          const shorter = { Mode: "COMPLIANCE", RetainUntilDate: new Date(Date.now() + 60_000) } as const
          const softer = { Mode: "GOVERNANCE", RetainUntilDate: new Date(Date.now() + day) } as const
          for (const Retention of [shorter, softer]) {
            const weaken = new PutObjectRetentionCommand({ ...at, Retention, ...bypass })
            assert.strictEqual(yield* statusOf(client.send(weaken)), 403)
          }
        }
        const after = yield* list(0)
        assert.deepStrictEqual(after, [stored])
      }).pipe(Effect.provide(layerIn(name)))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("says that a bucket holds nothing, and whether it keeps versions", () =>
    Effect.gen(function*() {
      const name = yield* bucket(false)
      yield* Effect.gen(function*() {
        const { append, list } = yield* Anchor.Anchors
        yield* append(first.anchor)
        assert.deepStrictEqual(yield* alerts, ["open anchors_unlocked"])
        assert.include((yield* (yield* Alerts.Alerts).list)[0]?.detail, "keeps no versions")
        assert.deepInclude((yield* list(0))[0]?.keeping, { version: null, lockedUntil: null })
      }).pipe(Effect.provide(layerIn(name)))

      const versioned = yield* bucket(false)
      yield* Effect.promise(() =>
        asOwner.send(
          new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration: { Status: "Enabled" } })
        )
      )
      yield* Effect.gen(function*() {
        const { append, list, names } = yield* Anchor.Anchors
        yield* append(first.anchor)
        const [before] = yield* list(0)
        assert.isNotNull(before?.keeping?.version)
        assert.isNull(before?.keeping?.lockedUntil)
        // What is not held can be replaced without a trace but for its version, which its writer remembers.
        const at = { Bucket: versioned, Key: keyOf(first) }
        yield* Effect.promise(() => asOwner.send(new PutObjectCommand({ ...at, Body: Anchor.encode(first.anchor) })))
        yield* Effect.promise(() =>
          asOwner.send(new DeleteObjectCommand({ ...at, VersionId: before?.keeping?.version ?? "" }))
        )
        assert.deepStrictEqual((yield* names).map(({ keeping }) => keeping?.overwritten), [true])
      }).pipe(Effect.provide(layerIn(versioned)))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("keeps what it is told for as long as it is told, in the mode that it is told", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      yield* Effect.gen(function*() {
        const { append, list } = yield* Anchor.Anchors
        yield* append(first.anchor)
        const [stored] = yield* list(0)
        assert.closeTo(stored?.keeping?.lockedUntil ?? 0, Date.now() + 10 * day, 60_000)
        const at = { Bucket: name, Key: keyOf(first), VersionId: stored?.keeping?.version ?? "" }
        assert.strictEqual(yield* statusOf(asOwner.send(new DeleteObjectCommand(at))), 403)
      }).pipe(Effect.provide(layerIn(name, { retention: { mode: "GOVERNANCE", days: 10 } })))
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.live("keeps the anchors of a log, and a verifier names what the owner of the bucket did to them", () =>
    Effect.gen(function*() {
      const name = yield* bucket(true)
      const log = new Writer()
      const session = Claims.SessionId.make("a")
      log.open(session, null)
      yield* Effect.gen(function*() {
        for (let i = 0; i < 4; i++) {
          // Each by another process, which looks at all chains: the rows of this log are from long ago.
          yield* Anchoring.take()
          log.append(session, null, { kind: "started", epoch: i })
        }
        const verify = Verify.online({ keys, sessions: "all" })
        assert.deepInclude(yield* verify, { ok: true, anchors: 4 })
        const stored = yield* (yield* Anchor.Anchors).list(0)
        const key = (i: number) => `aosiq/${stored[i]?.name}.json`
        yield* Effect.promise(() => asOwner.send(new DeleteObjectCommand({ Bucket: name, Key: key(1) })))
        yield* Effect.promise(() => asOwner.send(new PutObjectCommand({ Bucket: name, Key: key(2), Body: "{}" })))
        const report = yield* verify
        assert.deepStrictEqual(report.findings.map(({ kind, seq }) => [kind, seq]), [
          ["anchor_hidden", 1],
          ["anchor_overwritten", 2]
        ])
        // The anchors are all there, and the next is signed on top of them, also by another process.
        log.append(session, null, { kind: "started", epoch: 9 })
        assert.strictEqual((yield* Anchoring.take())?.sequence, 4)
        assert.notInclude(report.unchecked.map(({ kind }) => kind), "anchors_unlocked")
      }).pipe(Effect.provide(Layer.mergeAll(layerIn(name), layerLog(log), layerTools)))
    }).pipe(Effect.provide(Alerts.layerMemory)))
})
