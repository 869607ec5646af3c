/**
 * A log, or some of its sessions, as one text that can be verified anywhere: no database, no service, no trust in
 * whoever wrote it.
 *
 * JSON lines, each the canonical text (RFC 8785) of one object:
 *   the header     format, version, when, which sessions, whether with payloads
 *   {"key"}        a public key that signed anchors, `name+id+base64`
 *   {"anchor"}     name and text of an anchor, oldest first; leaves of sessions that are left out only as hashes; from
 *                  version 2 on, what witnesses signed under it, and what the place says where it is kept
 *   {"session"}    where the chain of a session ends, and after it its rows:
 *   {"row"}        a row as it is stored
 *   {"payload"}    hash and text
 *   {"end"}        how many of each: a bundle that was cut off is no bundle
 * A bundle is of version 2 when an anchor of it has a co-signature or a place with something to say, else of version 1.
 * Times are epoch milliseconds. Keys in a bundle vouch for nothing: whoever altered it could have put in others. Give
 * `verify` the keys that the installation publishes elsewhere.
 */
import { Clock, Effect, Option, Result, Schema, Stream } from "effect"
import { Hex } from "effect/encoding"
import { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import { Digest, Hash } from "./Digest.ts"
import type { Report } from "./Finding.ts"
import { Log, type LogError, Summary } from "./Log.ts"
import * as Note from "./Note.ts"
import { Verifier } from "./Signer.ts"
import * as Verify from "./Verify.ts"

const { head, id, seq } = Summary.fields
/**
 * A control block as exported: where the chain ends. The rest of it is in the genesis row, and the token stays behind.
 */
export const Block = Schema.Struct({ head, id, seq })
export type Block = typeof Block.Type

/** Versions of the format. What is of an older one stays readable. */
export const versions = [1, 2] as const
export type Version = (typeof versions)[number]

/** The first line. */
export const Header = Schema.Struct({
  format: Schema.Literal("aosiq-bundle"),
  version: Schema.Literals(versions),
  exportedAt: Schema.Natural,
  sessions: Schema.Union([Schema.Literal("all"), Schema.Array(Claims.SessionId)]),
  payloads: Schema.Boolean,
  guide: Schema.String
})
export type Header = typeof Header.Type

/** How many lines of each kind a bundle has. */
export const Counts = Schema.Struct({
  anchors: Schema.Natural,
  keys: Schema.Natural,
  payloads: Schema.Natural,
  rows: Schema.Natural,
  sessions: Schema.Natural
})
export type Counts = typeof Counts.Type

/** A bundle as read: *not yet verified*. */
export interface Bundle {
  readonly header: Header
  readonly keys: ReadonlyArray<Note.Key>
  readonly anchors: ReadonlyArray<Anchor.Stored>
  readonly sessions: ReadonlyArray<Block>
  readonly rows: ReadonlyMap<Claims.SessionId, ReadonlyArray<Schema.Json>>
  readonly payloads: ReadonlyMap<string, string>
}

/** Not a bundle, or not of a version that this program reads. */
export class NotABundle extends Schema.TaggedError<NotABundle>()("NotABundle", { detail: Schema.String }) {}
/** A line, counted from 1, that a bundle does not have. */
export class BadLine
  extends Schema.TaggedError<BadLine>()("BadLine", { line: Schema.Natural, detail: Schema.String })
{}
/** The end is missing, or more or less stands before it than it counts. */
export class CutOff extends Schema.TaggedError<CutOff>()("CutOff", { line: Schema.Natural, detail: Schema.String }) {}
/** A session to export that the log does not have; nothing was written. */
export class NoSuchSession extends Schema.TaggedError<NoSuchSession>()("NoSuchSession", {
  session: Claims.SessionId
}) {}
/** The one error of this module; the same text or choice fails again. */
export class BundleError extends Schema.TaggedError<BundleError>()("BundleError", {
  reason: Schema.Union([NotABundle, BadLine, CutOff, NoSuchSession])
}) {}

/** What to export. */
export interface Choice {
  readonly sessions: "all" | ReadonlyArray<Claims.SessionId>
  /** Public keys to enclose, for convenience. */
  readonly keys: ReadonlyArray<Note.Key>
  /** Whether texts go with the rows that name them; `true` unless set. */
  readonly payloads?: boolean | undefined
}

/** How to read a bundle of a version without this program; it stands in the header. */
export const guide = (version: Version): string => version === 1 ? guides[1] : `${guides[1]} ${guides[2]}`

const guides = {
  1: "One RFC 8785 object a line. A row's hash is SHA-256 of its prev and of the RFC 8785 text of the row without prev " +
    "and hash. An anchor's checkpoint is a c2sp.org/tlog-checkpoint over the RFC 6962 tree whose leaves are the RFC " +
    "8785 texts of {hash,seq,session}: that session had seq rows, the last with that hash.",
  2: "An anchor's cosignatures are signature lines for its checkpoint, as in c2sp.org/tlog-cosignature; its keeping is " +
    "what the place says where it is kept, and proves nothing."
} as const

/** Writes a bundle, line by line, each with its newline; reads one session at a time. */
export const write = (
  choice: Choice
): Stream.Stream<string, LogError | Anchor.AnchorError | BundleError, Log | Anchor.Anchors | Digest> =>
  Stream.unwrap(Effect.gen(function*() {
    const log = yield* Log
    const digest = yield* Digest
    // Anchors before sessions: what an anchor says is then true of every later state of the log.
    const anchors = yield* (yield* Anchor.Anchors).list(0)
    const ids = yield* chosen(log, choice)
    const version = anchors.some(({ cosignatures, keeping }) => cosignatures.length > 0 || keeping !== null) ? 2 : 1
    const header: Header = {
      format: "aosiq-bundle",
      version,
      exportedAt: yield* Clock.currentTimeMillis,
      sessions: choice.sessions,
      payloads: choice.payloads ?? true,
      guide: guide(version)
    }
    const line = (value: Schema.Json) => `${digest.canonical(value)}\n`
    const shown = choice.sessions === "all" ? anchors : anchors.map((anchor) => withhold(digest, anchor, new Set(ids)))
    const counts = { anchors: shown.length, keys: choice.keys.length, payloads: 0, rows: 0, sessions: ids.length }
    const named = new Set<Hash>()

    const session = Effect.fnUntraced(function*(id: Claims.SessionId) {
      const { held, rows } = yield* Verify.snapshot(log, id)
      if (held === undefined) return yield* fail(new NoSuchSession({ session: id }))
      counts.rows += rows.length
      for (const hash of rows.flatMap(Verify.payloadHashes)) named.add(hash)
      return [line({ session: blockOf(held) }), ...rows.map((row) => line({ row }))]
    })
    const payload = Effect.fnUntraced(function*(hash: Hash) {
      const text = yield* log.payload(hash)
      if (Option.isNone(text)) return []
      counts.payloads++
      return [line({ payload: { hash, text: text.value } })]
    })

    return Stream.make(line(header), ...choice.keys.map((key) => line({ key: Note.formatKey(digest, key) }))).pipe(
      Stream.concat(Stream.fromIterable(shown.map((stored) => line({ anchor: forms[version](stored) })))),
      Stream.concat(each(ids, session)),
      Stream.concat(Stream.suspend(() => header.payloads ? each([...named], payload) : Stream.empty)),
      Stream.concat(Stream.suspend(() => Stream.make(line({ end: counts }))))
    )
  }))

/** Reads a bundle; *not yet verified*. Fails at the first line that a bundle does not have. */
export const read = (digest: Digest["Service"], text: string): Result.Result<Bundle, BundleError> =>
  Result.gen(function*() {
    const [first = "", ...rest] = text.split("\n")
    const header = yield* headerOf(digest, first)
    const draft: Draft = { keys: [], anchors: [], sessions: [], rows: new Map(), payloads: new Map() }
    for (const [at, line] of rest.entries()) {
      const number = at + 2
      const value = yield* parse(digest, header.version, { line, number })
      if ("end" in value) {
        yield* finish(draft, value.end, rest.slice(at + 1), number)
        return { header, ...draft }
      }
      const refused = add(digest, draft, value)
      if (refused !== undefined) return yield* bad(number, refused)
    }
    return yield* cutOff(rest.length + 1, "the last line is not there")
  })

/** Whom to believe of a bundle. */
export interface Trust {
  /** Those that the installation publishes; without them the bundle's own are used, and the report says so. */
  readonly keys?: ReadonlyArray<Note.Key> | undefined
  /** Those that the witnesses publish; a bundle brings none of its own. */
  readonly witnesses?: ReadonlyArray<Note.Key> | undefined
  /** Checkpoints of earlier reports, or of a witness. */
  readonly seen?: ReadonlyArray<string> | undefined
}

/** Verifies a bundle. */
export const verify = Effect.fn("Bundle.verify")(function*(
  text: string,
  trust: Trust = {}
): Effect.fn.Return<Report, BundleError, Digest | Verifier> {
  const tools = { digest: yield* Digest, verifier: yield* Verifier }
  const bundle = yield* Effect.fromResult(read(tools.digest, text))
  const { sessions } = bundle.header
  // A session that the header promises is looked for, even when no line is left of it.
  const promised = sessions === "all" ? [] : sessions.map((id) => [id, []] as const)
  return Verify.all(tools, {
    ...bundle,
    rows: new Map([...promised, ...bundle.rows]),
    payloads: bundle.header.payloads ? bundle.payloads : null,
    keys: trust.keys ?? bundle.keys,
    areKeysOwn: trust.keys === undefined,
    witnesses: trust.witnesses,
    isComplete: sessions === "all",
    seen: trust.seen
  })
})

// internal

const fail = (reason: BundleError["reason"]) => Effect.fail(new BundleError({ reason }))
const bad = (line: number, detail: string): Result.Result<never, BundleError> =>
  Result.fail(new BundleError({ reason: new BadLine({ line, detail }) }))
const cutOff = (line: number, detail: string): Result.Result<never, BundleError> =>
  Result.fail(new BundleError({ reason: new CutOff({ line, detail }) }))

const chosen = Effect.fnUntraced(function*(log: Log["Service"], { sessions }: Choice) {
  if (sessions === "all") return (yield* log.sessions).map((session) => session.id)
  const unique = [...new Set(sessions)]
  for (const session of unique) {
    if (Option.isNone(yield* log.session(session))) return yield* fail(new NoSuchSession({ session }))
  }
  return unique
})

const blockOf = ({ head, id, seq }: Summary): Block => ({ head, id, seq })

const each = <A, E>(items: ReadonlyArray<A>, lines: (item: A) => Effect.Effect<ReadonlyArray<string>, E>) =>
  Stream.fromIterable(items).pipe(Stream.mapEffect(lines), Stream.flatMap((lines) => Stream.fromArray(lines)))

/** The anchor with the leaves of other sessions as hashes, which its root can still be computed from. */
const withhold = (
  digest: Digest["Service"],
  stored: Anchor.Stored,
  ids: ReadonlySet<Claims.SessionId>
): Anchor.Stored => {
  const anchor = Anchor.decode(stored.text)
  // What cannot be read is shown as it is: that is for the verifier to report.
  if (Result.isFailure(anchor)) return stored
  const [first, ...rest] = anchor.success.leaves
  const shown = (leaf: Anchor.Leaf | Hash) =>
    typeof leaf === "string" || ids.has(leaf.session) ? leaf : Hash.make(Hex.encode(Anchor.leafHash(digest, leaf)))
  return { ...stored, text: Anchor.encode({ ...anchor.success, leaves: [shown(first), ...rest.map(shown)] }) }
}

/** What stands of an anchor in a bundle of each version. */
const anchors = {
  1: Schema.Struct({ name: Schema.String, text: Schema.String }),
  2: Schema.Struct({
    name: Schema.String,
    text: Schema.String,
    cosignatures: Schema.Array(Schema.String),
    keeping: Schema.NullOr(Anchor.Keeping)
  })
}
const forms = {
  1: ({ name, text }: Anchor.Stored): Schema.Json => ({ name, text }),
  2: ({ cosignatures, keeping, name, text }: Anchor.Stored): Schema.Json => ({ name, text, cosignatures, keeping })
}

const lineOf = <A extends Schema.Constraint>(anchor: A) =>
  Schema.Union([
    Schema.Struct({ key: Schema.String }),
    Schema.Struct({ anchor }),
    Schema.Struct({ session: Block }),
    Schema.Struct({ row: Schema.Json }),
    Schema.Struct({ payload: Schema.Struct({ hash: Hash, text: Schema.String }) }),
    Schema.Struct({ end: Counts })
  ])
const lines = { 1: lineOf(anchors[1]), 2: lineOf(anchors[2]) }
type Line = typeof lines[Version]["Type"]
const strict = { onExcessProperty: "error" } as const
const decodeLine = {
  1: Schema.decodeUnknownOption(lines[1], strict),
  2: Schema.decodeUnknownOption(lines[2], strict)
}
const decodeHeader = Schema.decodeUnknownOption(Header, strict)

/** A line read so far. */
interface Draft {
  readonly keys: Array<Note.Key>
  readonly anchors: Array<Anchor.Stored>
  readonly sessions: Array<Block>
  readonly rows: Map<Claims.SessionId, Array<Schema.Json>>
  readonly payloads: Map<string, string>
}

/**
 * The value of a line, which must be its canonical text: otherwise two readers might see two different values in it,
 * and only one of them was verified.
 */
const valueOf = (digest: Digest["Service"], line: string): Schema.Json | undefined => {
  const value = Result.try(() => {
    const value: Schema.Json = JSON.parse(line)
    return digest.canonical(value) === line ? value : undefined
  })
  return Result.getOrUndefined(value)
}

const headerOf = (digest: Digest["Service"], line: string): Result.Result<Header, BundleError> => {
  const header = decodeHeader(valueOf(digest, line))
  if (Option.isSome(header)) return Result.succeed(header.value)
  const detail = `the first line is not the header of a bundle of version ${versions.join(" or ")}`
  return Result.fail(new BundleError({ reason: new NotABundle({ detail }) }))
}

const parse = (
  digest: Digest["Service"],
  version: Version,
  { line, number }: { readonly line: string; readonly number: number }
): Result.Result<Line, BundleError> => {
  if (line === "") return cutOff(number, "the last line is not there")
  const value = valueOf(digest, line)
  if (value === undefined) return bad(number, "it is not one JSON value in canonical form")
  const known = decodeLine[version](value)
  return Option.isSome(known) ? Result.succeed(known.value) : bad(number, "it is none of a bundle's lines")
}

/** Adds a line to what was read; says why not when it cannot stand there. */
const add = (
  digest: Digest["Service"],
  draft: Draft,
  line: Exclude<Line, { readonly end: Counts }>
): string | undefined => {
  if ("key" in line) {
    const key = Note.parseKey(digest, line.key)
    if (Result.isFailure(key)) return Note.explain(key.failure)
    draft.keys.push(key.success)
  } else if ("anchor" in line) {
    draft.anchors.push({ cosignatures: [], keeping: null, ...line.anchor })
  } else if ("session" in line) {
    if (draft.rows.has(line.session.id)) return `session ${line.session.id} stands here twice`
    draft.sessions.push(line.session)
    draft.rows.set(line.session.id, [])
  } else if ("row" in line) {
    const session = draft.sessions.at(-1)
    if (session === undefined) return "a row stands before the first session"
    draft.rows.get(session.id)?.push(line.row)
  } else {
    if (draft.payloads.has(line.payload.hash)) return `payload ${line.payload.hash} stands here twice`
    draft.payloads.set(line.payload.hash, line.payload.text)
  }
  return undefined
}

const finish = (
  draft: Draft,
  end: Counts,
  rest: ReadonlyArray<string>,
  line: number
): Result.Result<void, BundleError> => {
  if (rest.length === 0) return cutOff(line, "the last newline is not there")
  if (rest.length > 1 || rest[0] !== "") return bad(line + 1, "it stands after the last line")
  const counts: Counts = {
    anchors: draft.anchors.length,
    keys: draft.keys.length,
    payloads: draft.payloads.size,
    rows: [...draft.rows.values()].reduce((rows, own) => rows + own.length, 0),
    sessions: draft.sessions.length
  }
  const kinds = ["anchors", "keys", "payloads", "rows", "sessions"] as const
  const wrong = kinds.find((kind) => counts[kind] !== end[kind])
  return wrong === undefined
    ? Result.succeed(undefined)
    : cutOff(line, `${wrong} before it: ${counts[wrong]}, and it counts ${end[wrong]}`)
}
