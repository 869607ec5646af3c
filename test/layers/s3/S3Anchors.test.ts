import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Redacted } from "effect"
import { startFauxqs } from "fauxqs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, vi } from "vitest"
import { type Bucket, S3Anchors } from "../../../layers/s3/index.ts"
import { Alerts, Anchor } from "../../../src/audit/index.ts"
import { anchors, suite } from "../../audit/AnchorsSuite.ts"
import { storedOf } from "../../audit/worlds.ts"

type Server = Awaited<ReturnType<typeof startFauxqs>>
let server: Server
beforeAll(async () => {
  server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false })
})
afterAll(() => server.stop())

const secret = "a secret that nobody may see"
const options = (change: Partial<Bucket.Options> = {}): Bucket.Options => ({
  bucket: "anchors",
  prefix: "aosiq/",
  region: "eu-central-1",
  endpoint: `http://127.0.0.1:${server.port}`,
  credentials: { accessKeyId: "OWN", secretAccessKey: Redacted.make(secret) },
  retention: { mode: "COMPLIANCE", days: 30 },
  ...change
})
const client = Effect.acquireRelease(
  Effect.sync(() =>
    new S3Client({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: "eu-central-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "a", secretAccessKey: "b" }
    })
  ),
  (client) => Effect.sync(() => client.destroy())
)
let buckets = 0
const bucket = Effect.sync(() => {
  const name = `anchors-${buckets++}`
  server.createBucket(name)
  return name
})
/** Anchors in a bucket of their own. */
const fresh = Layer.unwrap(Effect.map(bucket, (bucket) => S3Anchors.layer(options({ bucket }))))

suite("s3, in memory", fresh.pipe(Layer.provide(Alerts.layerMemory)))

const [first, second] = anchors(2)
assert.isDefined(first)
assert.isDefined(second)
const alerts = Effect.map(
  Effect.flatMap(Alerts.Alerts, ({ list }) => list),
  (list) => list.map(({ kind, resolvedAt }) => `${resolvedAt === null ? "open" : "resolved"} ${kind}`)
)
const over = <A, E>(
  change: Partial<Bucket.Options>,
  use: (anchors: Anchor.Anchors["Service"]) => Effect.Effect<A, E, Alerts.Alerts>
) =>
  Effect.scoped(Effect.gen(function*() {
    const context = yield* Layer.build(S3Anchors.layer(options(change)))
    return yield* Effect.flatMap(Effect.provideContext(Anchor.Anchors, context), use)
  }))
const reasonOf = ({ reason }: Anchor.AnchorError) => reason._tag === "Unavailable" ? reason : undefined

describe("S3Anchors", () => {
  it.effect("puts one object an anchor, under its number and root, and reads it back", () =>
    Effect.gen(function*() {
      const [name, s3] = [yield* bucket, yield* client]
      yield* over({ bucket: name, prefix: "log-7/" }, ({ append }) => append(first.anchor))
      const found = yield* Effect.promise(() => s3.send(new ListObjectsV2Command({ Bucket: name })))
      const key = `log-7/${Anchor.nameOf(first.anchor)}.json`
      assert.deepStrictEqual(found.Contents?.map(({ Key }) => Key), [key])
      const object = yield* Effect.promise(() => s3.send(new GetObjectCommand({ Bucket: name, Key: key })))
      assert.strictEqual(
        yield* Effect.promise(() => object.Body?.transformToString() ?? Promise.resolve("")),
        Anchor.encode(first.anchor)
      )
      // Another process finds it.
      yield* over({ bucket: name, prefix: "log-7/" }, ({ append }) => append(second.anchor))
      const [one, two] = yield* over({ bucket: name, prefix: "log-7/" }, ({ list }) => list(0))
      assert.isDefined(one)
      assert.isDefined(two)
      assert.deepStrictEqual([one, two].map((stored) => ({ ...stored, keeping: null })), [first, second].map(storedOf))
      assert.deepStrictEqual(one.keeping, {
        place: `s3://${name}/${key}`,
        version: null,
        lockedUntil: null,
        overwritten: false,
        hidden: false
      })
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("says that nothing is under retention here, unless none was asked for", () =>
    Effect.gen(function*() {
      const name = yield* bucket
      yield* over({ bucket: name }, ({ append }) => append(first.anchor))
      assert.deepStrictEqual(yield* alerts, ["open anchors_unlocked"])
      const [alert] = yield* (yield* Alerts.Alerts).list
      assert.include(alert?.detail, "puts nothing under retention, and keeps no versions")
      yield* over({ bucket: name, retention: "none" }, ({ append }) => append(second.anchor))
      assert.deepStrictEqual(yield* alerts, ["resolved anchors_unlocked"])
    }).pipe(Effect.provide(Alerts.layerMemory)))

  it.effect("hides neither a gap nor what was altered, and passes over what is no anchor", () =>
    Effect.gen(function*() {
      const [name, s3] = [yield* bucket, yield* client]
      const put = (key: string, text: string) =>
        Effect.promise(() => s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body: text })))
      const own = Anchor.nameOf(second.anchor)
      yield* put(`aosiq/${own}.json`, "garbage")
      yield* put("aosiq/stray.json", "{}")
      yield* put("aosiq/README", "not an anchor")
      yield* put("aosiq/x.cosig", "nobody's")
      yield* put(`other/${Anchor.nameOf(first.anchor)}.json`, "another log's")
      const found = yield* over({ bucket: name }, ({ list }) => list(0))
      assert.deepStrictEqual(found.map(({ name, text }) => [name, text]), [[own, "garbage"], ["stray", "{}"]])
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("reads more anchors than a page of a listing has", () =>
    Effect.gen(function*() {
      const [name, s3] = [yield* bucket, yield* client]
      const names = Array.from({ length: 1007 }, (_, i) => `${String(i).padStart(10, "0")}-${"0".repeat(16)}`)
      yield* Effect.forEach(names, (own) =>
        Effect.promise(() =>
          s3.send(new PutObjectCommand({ Bucket: name, Key: `aosiq/${own}.json`, Body: own }))
        ), {
        concurrency: 16,
        discard: true
      })
      const found = yield* over({ bucket: name }, ({ names }) =>
        names)
      assert.deepStrictEqual(found.map(({ name }) => name), names)
      const late = yield* over({ bucket: name }, ({ list }) => list(1000))
      assert.deepStrictEqual(late.map(({ text }) => text), names.slice(1000))
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)), 60_000)

  it.effect("starts without the service, and says at each use what is wrong and what would help", () =>
    Effect.gen(function*() {
      const failures: ReadonlyArray<readonly [Partial<Bucket.Options>, RegExp, RegExp]> = [
        [{ endpoint: "http://127.0.0.1:1" }, /ECONNREFUSED/, /reachable/],
        [{ bucket: "not-there" }, /NoSuchBucket/, /make the bucket/]
      ]
      for (const [change, detail, remedy] of failures) {
        yield* over(change, (anchors) =>
          Effect.gen(function*() {
            for (
              const use of [anchors.append(first.anchor), anchors.list(0), anchors.names, anchors.cosign("x", "y")]
            ) {
              const error = yield* Effect.result(Effect.asVoid(use as Effect.Effect<unknown, Anchor.AnchorError>))
              if (error._tag === "Success") continue
              const reason = reasonOf(error.failure)
              assert.match(reason?.detail ?? "", detail)
              assert.match(reason?.remedy ?? "", remedy)
              assert.notInclude(JSON.stringify(reason), secret)
            }
          }))
      }
      assert.deepStrictEqual(yield* alerts, [])
    }).pipe(Effect.provide(Alerts.layerMemory)))
})

/** A service that answers as it is told, and what it was asked. */
const saying = (answer: (method: string, url: string) => { readonly status: number; readonly body: string }) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<
        {
          readonly endpoint: string
          readonly asked: Array<string>
          readonly signed: Array<string>
          readonly close: () => void
        }
      >(
        (resolve) => {
          const [asked, signed]: [Array<string>, Array<string>] = [[], []]
          const server = createServer((request, response) => {
            asked.push(`${request.method} ${request.url}`)
            signed.push(`${request.headers.host} ${request.headers.authorization}`)
            request.resume().on("end", () => {
              const { body, status } = answer(request.method ?? "", request.url ?? "")
              response.writeHead(status, { "content-type": "application/xml" }).end(body)
            })
          })
          server.listen(0, "127.0.0.1", () => {
            const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
            resolve({ endpoint, asked, signed, close: () => (server.closeAllConnections(), server.close()) })
          })
        }
      )
    ),
    ({ close }) => Effect.sync(close)
  )
const error = (code: string) => `<Error><Code>${code}</Code><Message>no</Message></Error>`

describe("S3Anchors, with credentials of its own", () => {
  it.effect("uses no other that the process has, and says so when they are refused", () =>
    Effect.gen(function*() {
      vi.stubEnv("AWS_ACCESS_KEY_ID", "AMBIENT")
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "ambient")
      vi.stubEnv("AWS_SESSION_TOKEN", "ambient")
      vi.stubEnv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
      const { endpoint, signed } = yield* saying(() => ({ status: 403, body: error("AccessDenied") }))
      const failure = yield* Effect.flip(over({ endpoint }, ({ append }) => append(first.anchor)))
      assert.include(reasonOf(failure)?.remedy, "not to delete")
      assert.isAbove(signed.length, 0)
      for (const line of signed) assert.include(line, "Credential=OWN/")
      // Asked to, it takes those that the process has.
      signed.length = 0
      yield* Effect.flip(over({ endpoint, credentials: "ambient" }, ({ append }) => append(first.anchor)))
      for (const line of signed) assert.include(line, "Credential=AMBIENT/")
    }).pipe(
      Effect.scoped,
      Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())),
      Effect.provide(Alerts.layerMemory)
    ))

  it.effect("puts nothing twice by itself when an answer is lost", () =>
    Effect.gen(function*() {
      const { asked, endpoint } = yield* saying((method) =>
        method === "PUT"
          ? { status: 500, body: error("InternalError") }
          : { status: 200, body: "<ListBucketResult></ListBucketResult>" }
      )
      yield* Effect.flip(over({ endpoint }, ({ append }) => append(first.anchor)))
      assert.lengthOf(asked.filter((line) => line.startsWith("PUT")), 1)
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("does not believe that an anchor was kept when something else is read back", () =>
    Effect.gen(function*() {
      const { endpoint } = yield* saying((method, url) => {
        if (method === "PUT") return { status: 200, body: "" }
        return { status: 200, body: url.includes(".json") ? "{}" : "<ListBucketResult></ListBucketResult>" }
      })
      const failure = yield* Effect.flip(over({ endpoint }, ({ append }) => append(first.anchor)))
      assert.include(reasonOf(failure)?.detail, "is not what was written")
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("keeps an anchor without retention rather than not at all, and says so", () =>
    Effect.gen(function*() {
      let puts = 0
      const { endpoint } = yield* saying((method, url) => {
        if (method === "PUT") {
          return puts++ === 0 ? { status: 400, body: error("InvalidRequest") } : { status: 200, body: "" }
        }
        const isObject = url.includes(".json")
        return { status: 200, body: isObject ? Anchor.encode(first.anchor) : "<ListBucketResult></ListBucketResult>" }
      })
      yield* over({ endpoint }, ({ append }) => append(first.anchor))
      assert.strictEqual(puts, 2)
      assert.deepStrictEqual(yield* alerts, ["open anchors_unlocked"])
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("finds the earliest version of a key whose versions stand on two pages", () =>
    Effect.gen(function*() {
      const key = `aosiq/${Anchor.nameOf(first.anchor)}.json`
      const version = (id: string) => `<Version><Key>${key}</Key><VersionId>${id}</VersionId></Version>`
      const next = `<IsTruncated>true</IsTruncated><NextKeyMarker>${key}</NextKeyMarker>`
      const pages = [
        `${next}<NextVersionIdMarker>v2</NextVersionIdMarker>${version("v3")}${version("v2")}`,
        `<IsTruncated>false</IsTruncated>${version("v1")}`
      ]
      const { asked, endpoint } = yield* saying((_, url) => {
        if (url.includes("?versioning")) {
          return { status: 200, body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>" }
        }
        if (!url.includes(".json?")) {
          const page = url.includes("version-id-marker=v2") ? pages[1] : pages[0]
          return { status: 200, body: `<ListVersionsResult>${page}</ListVersionsResult>` }
        }
        return { status: 200, body: url.includes("versionId=v1") ? Anchor.encode(first.anchor) : "{}" }
      })
      const [stored, ...rest] = yield* over({ endpoint }, ({ list }) => list(0))
      assert.lengthOf(rest, 0)
      assert.isDefined(stored)
      assert.strictEqual(stored.text, Anchor.encode(first.anchor))
      assert.deepInclude(stored.keeping, { version: "v1", overwritten: true })
      assert.lengthOf(asked.filter((line) => line.includes("?versioning")), 1)
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))

  it.effect("puts nothing by a listing that is older than a take-over", () =>
    Effect.gen(function*() {
      const { asked, endpoint } = yield* saying(() => ({ status: 200, body: "<ListBucketResult></ListBucketResult>" }))
      // The process is frozen while it lists: its clock goes on by a minute from one look to the next.
      let now = 0
      const clock = yield* Clock.Clock
      const frozen: Clock.Clock = Object.assign(Object.create(clock), {
        currentTimeMillis: Effect.sync(() => now += 60_000)
      })
      const failure = yield* Effect.flip(
        over({ endpoint }, ({ append }) => Effect.provideService(append(first.anchor), Clock.Clock, frozen))
      )
      assert.include(reasonOf(failure)?.detail, "took too long")
      assert.lengthOf(asked.filter((line) => line.startsWith("PUT")), 0)
    }).pipe(Effect.scoped, Effect.provide(Alerts.layerMemory)))
})
