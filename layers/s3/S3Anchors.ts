/**
 * Anchors in a bucket of an S3 service, with credentials of their own: whoever holds the log then needs other rights to
 * take an anchor away.
 *
 * An anchor's key is its number and root, and each one is put under retention where the bucket has Object Lock. What was
 * put is read back by its version and compared by our own SHA-256: neither a server's checksums nor its conditional
 * writes are relied on. Where a key has several versions, the earliest is the anchor: later ones, and delete markers,
 * are reported as what was done to it. One process appends to a prefix at a time.
 *
 * Keys that end in `.json` are anchors, `ANCHOR.SLOT.cosig` are co-signatures; what else lies there is passed over, and
 * keys without a number are looked for only when everything is.
 */
import { Clock, Effect, Layer, Semaphore } from "effect"
import { createHash } from "node:crypto"
import { Alerts, Anchor, Cosignature } from "../../src/audit/index.ts"
import * as Bucket from "./Bucket.ts"

/** Objects that are read at the same time. */
const concurrency = 16
/** How old a listing may be by which an anchor is put; longer than any answer takes, shorter than any take-over. */
const maxStaleMs = 5000
/** Later versions of one key that are compared with the earliest; more of them are a finding by themselves. */
const maxCompared = 3

/** Keeps anchors in the bucket. Never fails because the service is away: each use of it does. */
export const layer = (options: Bucket.Options): Layer.Layer<Anchor.Anchors, never, Alerts.Alerts> =>
  Layer.effect(
    Anchor.Anchors,
    Effect.gen(function*() {
      const alerts = yield* Alerts.Alerts
      const bucket = yield* Bucket.make(options)
      const turn = yield* Semaphore.make(1)
      /** The versions under which this process put what it put. */
      const own = new Map<string, string | null>()

      const put = Effect.fnUntraced(function*(name: string, text: string) {
        const now = yield* Clock.currentTimeMillis
        const version = yield* bucket.put(name, text, now)
        if (!own.has(name)) own.set(name, version)
        const read = yield* bucket.read(name, version)
        if (sha256(read.text) !== sha256(text)) return yield* changed(bucket.place)
        const isLocked = read.lockedUntil !== null && read.lockedUntil > now
        yield* isLocked || options.retention === "none"
          ? alerts.resolve("anchors_unlocked", bucket.place)
          : alerts.raise(unlocked(bucket.place, version))
      })
      const append = Effect.fnUntraced(function*(anchor: Anchor.Anchor) {
        const asked = yield* Clock.currentTimeMillis
        const there = yield* bucket.list(`${numberOf(anchor.sequence)}-`)
        if (there.some(isAnchor)) return yield* Anchor.taken(anchor)
        // A process that was frozen here would put its anchor beside one that was taken in its place.
        if ((yield* Clock.currentTimeMillis) - asked > maxStaleMs) return yield* stale(bucket.place)
        yield* put(Anchor.nameOf(anchor) + suffix, Anchor.encode(anchor))
      })
      const cosign = Effect.fnUntraced(function*(name: string, line: string) {
        const slot = Cosignature.slotOf(line)
        const key = `${name}.${slot}${cosigSuffix}`
        if (slot !== undefined && (yield* bucket.list(key)).length === 0) yield* put(key, line)
      })

      const isOverwritten = (entry: Bucket.Entry, first: string) =>
        own.has(entry.name) && !entry.versions.includes(own.get(entry.name) ?? null)
          ? Effect.succeed(true)
          : isDifferent(bucket, entry, first)
      const kept = Effect.fnUntraced(function*(entry: Bucket.Entry) {
        const version = earliest(entry)
        const { lockedUntil, text } = yield* bucket.read(entry.name, version)
        const now = yield* Clock.currentTimeMillis
        const keeping: Anchor.Keeping = {
          place: bucket.place + entry.name,
          version,
          lockedUntil: lockedUntil !== null && lockedUntil > now ? lockedUntil : null,
          overwritten: yield* isOverwritten(entry, text),
          hidden: entry.hidden
        }
        return { text, keeping }
      })
      const list = Effect.fnUntraced(function*(from: number) {
        const entries = (yield* bucket.list("", from === 0 ? "" : numberOf(from))).filter(isThere)
        const lines = entries.filter(({ name }) => name.endsWith(cosigSuffix))
        const beside = Map.groupBy(lines, anchorOf)
        const read = Effect.fnUntraced(function*(entry: Bucket.Entry) {
          const name = entry.name.slice(0, -suffix.length)
          const cosignatures = yield* Effect.forEach(beside.get(name) ?? [], kept)
          return { name, ...yield* kept(entry), cosignatures: cosignatures.map(({ text }) => text) }
        })
        return Anchor.from(yield* Effect.forEach(entries.filter(isAnchor), read, { concurrency }), from)
      })
      const names = Effect.gen(function*() {
        const entries = (yield* bucket.list("")).filter((entry) => isAnchor(entry) && isThere(entry))
        const named = yield* Effect.forEach(entries, (entry) =>
          Effect.gen(function*() {
            const first = entry.versions.length === 1 ? "" : (yield* bucket.read(entry.name, earliest(entry))).text
            const keeping = { hidden: entry.hidden, overwritten: yield* isOverwritten(entry, first) }
            return { name: entry.name.slice(0, -suffix.length), keeping }
          }), { concurrency })
        return named.toSorted(Anchor.byName)
      })

      return Anchor.Anchors.of({
        append: (anchor) => turn.withPermit(append(anchor)),
        cosign: (name, line) => turn.withPermit(cosign(name, line)),
        list,
        names
      })
    })
  )

// internal

const suffix = ".json"
const cosigSuffix = ".cosig"

const numberOf = (sequence: number): string => String(sequence).padStart(10, "0")
const isAnchor = ({ name }: Bucket.Entry): boolean => name.endsWith(suffix)
/** The anchor that a co-signature stands beside. */
const anchorOf = ({ name }: Bucket.Entry): string =>
  name.slice(0, name.lastIndexOf(".", name.length - cosigSuffix.length - 1))
const isThere = ({ versions }: Bucket.Entry): boolean => versions.length > 0
const earliest = ({ versions }: Bucket.Entry): string | null => versions.at(-1) ?? null

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

/** Whether a later version says something else; the same text, put twice by a writer that got no answer, is no harm. */
const isDifferent = (
  bucket: Bucket.Bucket,
  { name, versions }: Bucket.Entry,
  first: string
): Effect.Effect<boolean, Anchor.AnchorError> => {
  const later = versions.slice(0, -1)
  return later.length > maxCompared
    ? Effect.succeed(true)
    : Effect.map(
      Effect.forEach(later, (version) => bucket.read(name, version)),
      (read) => read.some(({ text }) => text !== first)
    )
}

const unavailable = (detail: string, remedy: string) =>
  Effect.fail(new Anchor.AnchorError({ reason: new Anchor.Unavailable({ detail, remedy }) }))

const changed = (place: string) =>
  unavailable(
    `what was read back at ${place} is not what was written`,
    "see who else writes there; the next anchor is signed only when this one holds"
  )

const stale = (place: string) =>
  unavailable(
    `what was listed at ${place} took too long to be of use`,
    "take the anchor again; if it stays so, see what slows the service down"
  )

const unlocked = (place: string, version: string | null): Alerts.Notice => ({
  kind: "anchors_unlocked",
  subject: place,
  detail: `${place} puts nothing under retention${version === null ? ", and keeps no versions" : ""}`,
  remedy: "make a bucket with Object Lock, which cannot be added to every bucket later, and name it"
})
