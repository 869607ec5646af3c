/**
 * The part of a bucket below a prefix: texts under names, each in all its versions. Nothing is removed here, and nothing
 * is retried: a write whose answer was lost may have been done, and only the caller knows what that means.
 */
import type * as Vendor from "@aws-sdk/client-s3"
import { DateTime, Effect, Redacted, type Scope } from "effect"
import { Anchor } from "../../src/audit/index.ts"

/** Credentials that this process has for anchors alone. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

/** Until when nobody may remove what was put; in `COMPLIANCE` mode not even whoever owns the bucket. */
export interface Retention {
  readonly mode: "COMPLIANCE" | "GOVERNANCE"
  readonly days: number
}

/** Where texts are kept, and how. */
export interface Options {
  readonly bucket: string
  /** What stands before each name; ends in `/` unless it is empty. */
  readonly prefix: string
  readonly region: string
  /** Of a service that is not AWS; such a one is asked with the bucket in the path. */
  readonly endpoint?: string | undefined
  /** `ambient` takes what the process has for AWS, and so perhaps what the log's own database is run with. */
  readonly credentials: Credentials | "ambient"
  readonly retention: Retention | "none"
}

/** All that is there under a name. */
export interface Entry {
  readonly name: string
  /** Newest first; `null` in a bucket without versions. Empty when only delete markers are left. */
  readonly versions: ReadonlyArray<string | null>
  /** Whether a delete marker is or was over it. */
  readonly hidden: boolean
}

/** A version as it was read. */
export interface Read {
  readonly text: string
  /** Epoch milliseconds; null when it is under no retention, or this process may not know. */
  readonly lockedUntil: number | null
}

/** Reads and writes. */
export interface Bucket {
  /** Where it is, for messages: `s3://bucket/prefix`. */
  readonly place: string
  /** Puts a text under retention, or without where the bucket has none; gives its version. */
  readonly put: (name: string, text: string, now: number) => Effect.Effect<string | null, Anchor.AnchorError>
  readonly read: (name: string, version: string | null) => Effect.Effect<Read, Anchor.AnchorError>
  /** The names that begin with `start` and come after `after`, in order. */
  readonly list: (start: string, after?: string) => Effect.Effect<ReadonlyArray<Entry>, Anchor.AnchorError>
}

/** Pages of a listing, at most: ten million keys. */
const maxPages = 10_000
/** Of each request. */
const requestMs = 20_000
const connectMs = 5000
const dayMs = 86_400_000

/** The bucket; asks nothing yet. Only now is the vendor's package loaded. */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Bucket, never, Scope.Scope> {
  const sdk = yield* Effect.promise(() => import("@aws-sdk/client-s3"))
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => clientOf(sdk, options)),
    (client) => Effect.sync(() => client.destroy())
  )
  const { bucket: Bucket, prefix, retention } = options
  const place = `s3://${Bucket}/${prefix}`
  const ask = <A>(send: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, Failure> =>
    Effect.tryPromise({ try: send, catch: failureOf })

  const put = Effect.fnUntraced(function*(name: string, text: string, now: number) {
    const input: Vendor.PutObjectCommandInput = {
      Bucket,
      Key: prefix + name,
      Body: text,
      ContentType: "application/json"
    }
    const until = retention === "none"
      ? {}
      : {
        ObjectLockMode: retention.mode,
        ObjectLockRetainUntilDate: DateTime.toDateUtc(DateTime.makeUnsafe(now + retention.days * dayMs))
      }
    const write = (input: Vendor.PutObjectCommandInput) =>
      ask((abortSignal) => client.send(new sdk.PutObjectCommand(input), { abortSignal }))
    const done = yield* write({ ...input, ...until }).pipe(
      Effect.catch((failure) => lacksLock(failure) && retention !== "none" ? write(input) : Effect.fail(failure))
    )
    return versionOf(done.VersionId)
  })

  const read = Effect.fnUntraced(function*(name: string, version: string | null) {
    const { ObjectLockMode, ObjectLockRetainUntilDate, text } = yield* ask(async (abortSignal) => {
      const input = { Bucket, Key: prefix + name, ...version === null ? {} : { VersionId: version } }
      const { Body, ...found } = await client.send(new sdk.GetObjectCommand(input), { abortSignal })
      return { ...found, text: await Body?.transformToString("utf8") ?? "" }
    })
    return { text, lockedUntil: ObjectLockMode === undefined ? null : ObjectLockRetainUntilDate?.getTime() ?? null }
  })

  const hasVersions = yield* Effect.cachedInvalidateWithTTL(
    ask((abortSignal) => client.send(new sdk.GetBucketVersioningCommand({ Bucket }), { abortSignal })).pipe(
      Effect.map(({ Status }) => Status !== undefined),
      // Who may not ask is told by the listing itself.
      Effect.catch((failure) =>
        isDenied(failure) || isUnknown(failure) ? Effect.succeed(isDenied(failure)) : Effect.fail(failure)
      )
    ),
    "1 hour"
  )
  const list = Effect.fnUntraced(function*(start: string, after = "") {
    const pages = (yield* hasVersions[0]) ? versions : objects
    const found = new Map<string, Draft>()
    const input = { Bucket, Prefix: prefix + start }
    let from: Marker | undefined = after === "" ? undefined : { key: prefix + after }
    for (let page = 0; page < maxPages; page++) {
      from = yield* ask((signal) => pages({ sdk, client, input, from, found, signal }))
      if (from === undefined) return [...found].map(([key, draft]) => ({ name: key.slice(prefix.length), ...draft }))
    }
    return yield* Effect.fail<Failure>({ name: "TooMany", status: undefined })
  })

  const told = <A>(effect: Effect.Effect<A, Failure>) => Effect.mapError(effect, explained(place))
  return {
    place,
    put: (name, text, now) => told(put(name, text, now)),
    read: (name, version) => told(read(name, version)),
    list: (start, after) => told(Effect.tapError(list(start, after), () => hasVersions[1]))
  } satisfies Bucket
})

// internal

const clientOf = (sdk: typeof Vendor, { credentials, endpoint, region }: Options): Vendor.S3Client =>
  new sdk.S3Client({
    region,
    maxAttempts: 1,
    requestHandler: { requestTimeout: requestMs, connectionTimeout: connectMs, throwOnRequestTimeout: true },
    responseChecksumValidation: "WHEN_REQUIRED",
    forcePathStyle: endpoint !== undefined,
    ...credentials === "ambient" ? endpoint === undefined ? {} : { endpoint } : {
      // Named, or the environment of the process would name another.
      endpoint: endpoint ?? `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`,
      credentials: {
        accessKeyId: credentials.accessKeyId,
        secretAccessKey: Redacted.value(credentials.secretAccessKey),
        ...credentials.sessionToken === undefined ? {} : { sessionToken: Redacted.value(credentials.sessionToken) }
      }
    }
  })

interface Draft {
  readonly versions: Array<string | null>
  hidden: boolean
}
interface Marker {
  readonly key: string
  readonly version?: string | undefined
}
interface Page {
  readonly sdk: typeof Vendor
  readonly client: Vendor.S3Client
  readonly input: { readonly Bucket: string; readonly Prefix: string }
  readonly from: Marker | undefined
  readonly found: Map<string, Draft>
  readonly signal: AbortSignal
}

const at = (found: Map<string, Draft>, key: string): Draft => {
  const known = found.get(key)
  if (known !== undefined) return known
  const draft = { versions: [], hidden: false }
  found.set(key, draft)
  return draft
}

/** One page of all versions, of which those of one key come newest first; gives where the next one begins. */
const versions = async ({ client, found, from, input, sdk, signal }: Page): Promise<Marker | undefined> => {
  const marker = from === undefined ? {} : {
    KeyMarker: from.key,
    ...from.version === undefined ? {} : { VersionIdMarker: from.version }
  }
  const page = await client.send(new sdk.ListObjectVersionsCommand({ ...input, ...marker }), { abortSignal: signal })
  for (const { Key, VersionId } of page.Versions ?? []) {
    if (Key !== undefined) at(found, Key).versions.push(versionOf(VersionId))
  }
  for (const { Key } of page.DeleteMarkers ?? []) if (Key !== undefined) at(found, Key).hidden = true
  return page.IsTruncated === true && page.NextKeyMarker !== undefined
    ? { key: page.NextKeyMarker, version: page.NextVersionIdMarker }
    : undefined
}

/** The same where there are no versions. */
const objects = async ({ client, found, from, input, sdk, signal }: Page): Promise<Marker | undefined> => {
  const marker = from === undefined ? {} : { StartAfter: from.key }
  const page = await client.send(new sdk.ListObjectsV2Command({ ...input, ...marker }), { abortSignal: signal })
  for (const { Key } of page.Contents ?? []) if (Key !== undefined) at(found, Key).versions.push(null)
  const last = page.Contents?.at(-1)?.Key
  return page.IsTruncated === true && last !== undefined ? { key: last } : undefined
}

/** A bucket without versions gives none, or the word null. */
const versionOf = (id: string | undefined): string | null => id === undefined || id === "null" ? null : id

/** What a request failed with; never what was sent. */
interface Failure {
  readonly name: string
  readonly status: number | undefined
}

const failureOf = (cause: unknown): Failure => {
  const name = cause instanceof Error ? cause.name : "Error"
  const metadata: unknown = cause instanceof Error && "$metadata" in cause ? cause.$metadata : undefined
  const status = typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata
    ? Number(metadata.httpStatusCode)
    : undefined
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined
  return { name: typeof code === "string" && status === undefined ? code : name, status }
}

const isDenied = ({ name, status }: Failure): boolean => status === 403 || name === "AccessDenied"
const isUnknown = ({ name, status }: Failure): boolean =>
  status === 501 || name === "NotImplemented" || status === 405 || name === "MethodNotAllowed"
/** As services answer to retention in a bucket that was made without Object Lock. */
const lacksLock = (failure: Failure): boolean =>
  isUnknown(failure) || ["InvalidRequest", "ObjectLockConfigurationNotFoundError"].includes(failure.name)

const remedies: Partial<Record<string, string>> = {
  NoSuchBucket: "make the bucket, with Object Lock, or name another",
  TooMany: "give anchors a prefix of their own"
}

const explained = (place: string) => (failure: Failure): Anchor.AnchorError => {
  const denied =
    "give these credentials the right to put, to read and to list here, and to set retention; not to delete"
  const away = "see that the service is reachable from here, and the endpoint and the region are right"
  const remedy = remedies[failure.name] ?? (isDenied(failure) ? denied : away)
  const detail = `anchors cannot be kept at ${place} (${failure.name})`
  return new Anchor.AnchorError({ reason: new Anchor.Unavailable({ detail, remedy }) })
}
