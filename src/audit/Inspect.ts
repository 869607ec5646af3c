/**
 * Reads one chain and names its first bad row and the kind of damage.
 *
 * The walk is simple: each row must be sound (its hash is that of its content), in place (its session, its `seq`), and
 * linked (its `prev` is the hash before). At the first that is not, the rows around it tell what happened: whether the
 * row belongs somewhere else, whether the row that belongs here stands further on, and which of two rows the rest of
 * the chain, the control block and the anchors vouch for.
 *
 * Whoever re-hashes a row and everything after it leaves a chain that holds in itself; only a head kept elsewhere, in
 * the control block or an anchor, contradicts it. Then the first bad row is known only to lie after the last agreeing
 * anchor.
 */
import { Option, Result, Schema } from "effect"
import type { Claims } from "../capability/index.ts"
import type { Leaf } from "./Anchor.ts"
import { empty, type Head } from "./Chain.ts"
import type { Digest } from "./Digest.ts"
import type { Finding, Kind } from "./Finding.ts"
import { Row, version } from "./Row.ts"

/** What is known of a chain besides its rows; everything may be missing. */
export interface Expected {
  /** Whose chain it is; that of its first row, unless given. */
  readonly session?: Claims.SessionId | undefined
  /** Where the control block says that it ends. */
  readonly head?: Head | undefined
  /** What anchors say of it. */
  readonly anchored?: ReadonlyArray<Leaf> | undefined
  /** Sessions whose rows may have been moved here. */
  readonly others?: Iterable<Claims.SessionId> | undefined
}

/**
 * The first thing wrong with the rows of one session, in the order in which they are stored; `undefined` for nothing.
 */
export const session = (
  digest: Digest["Service"],
  rows: ReadonlyArray<Schema.Json>,
  expected: Expected = {}
): Finding | undefined => {
  const places = rows.map((row) => read(digest, row))
  const first = places.find((place) => place.row !== undefined)?.row?.session
  // A name from outside is only compared, and repeated in the finding.
  const id = expected.session ?? (first ?? "unknown") as Claims.SessionId
  const chain: Chain = { digest, id, places, expected, anchored: byLength(expected.anchored ?? []) }
  const damage = walk(chain)
  return damage === undefined ? undefined : { ...damage, session: id }
}

/** Whether a JSON value has members. */
export const isObject = (value: Schema.Json): value is Schema.JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// internal

interface Damage {
  readonly kind: Kind
  readonly seq: number
  readonly detail: string
}
const damage = (kind: Kind, seq: number, detail: string): Damage => ({ kind, seq, detail })

/** The parts of a row that give it its place. */
interface Link {
  readonly v: number
  readonly session: string
  readonly seq: number
  readonly prev: string
  readonly hash: string
}

/** A stored row; `row` is missing when it has not even the parts of a link. */
interface Place {
  readonly row?: Link
  readonly content: Schema.JsonObject
  /** Whether the hash is that of the content. */
  readonly isSound: boolean
}

interface Chain {
  readonly digest: Digest["Service"]
  readonly id: Claims.SessionId
  readonly places: ReadonlyArray<Place>
  readonly expected: Expected
  /** Hashes that anchors give for a length of the chain. */
  readonly anchored: ReadonlyMap<number, ReadonlyArray<string>>
}

const isLink = Schema.is(Schema.Struct({
  v: Schema.Natural,
  session: Schema.String,
  seq: Schema.Natural,
  prev: Schema.String,
  hash: Schema.String
}))
const decodeRow = Schema.decodeUnknownOption(Row, { onExcessProperty: "error" })

/** Hashes what is stored, field by field as it is stored, so that a field too many is as bad as a wrong one. */
const read = (digest: Digest["Service"], stored: Schema.Json): Place => {
  if (!isObject(stored)) return { content: {}, isSound: false }
  const { hash: _, prev: __, ...content } = stored
  if (!isLink(stored)) return { content, isSound: false }
  return { row: stored, content, isSound: hashes(digest, stored, content) }
}

/** Whether the row's hash would be that of `content`. Text that has no canonical form has no hash either. */
const hashes = (digest: Digest["Service"], row: Link, content: Schema.JsonObject): boolean =>
  Result.getOrElse(Result.try(() => digest.sha256(row.prev + digest.canonical(content)) === row.hash), () => false)

const byLength = (leaves: ReadonlyArray<Leaf>): ReadonlyMap<number, ReadonlyArray<string>> => {
  const lengths = new Map<number, Array<string>>()
  for (const { hash, seq } of leaves) {
    const hashes = lengths.get(seq)
    if (hashes === undefined) lengths.set(seq, [hash])
    else hashes.push(hash)
  }
  return lengths
}

/** A head whose hash was only read. */
interface Ending {
  readonly seq: number
  readonly hash: string
}

const walk = (chain: Chain): Damage | undefined => {
  let head: Ending = empty
  /** Rows before this one are those that an anchor saw. */
  let vouched = 0
  for (const [at, place] of chain.places.entries()) {
    const { row } = place
    const fits = row !== undefined && row.v === version && place.isSound && row.session === chain.id &&
      row.seq === head.seq && row.prev === head.hash
    if (!fits) return misfit(chain, { at, seq: head.seq, prev: head.hash, vouched })
    const wrong = contentDamage(chain.id, place, head.seq)
    if (wrong !== undefined) return wrong
    head = { seq: head.seq + 1, hash: row.hash }
    const anchored = chain.anchored.get(head.seq)
    if (anchored?.some((hash) => hash !== row.hash) === true) {
      return contradicted(chain, head, vouched)
    }
    if (anchored !== undefined) vouched = head.seq
  }
  return ending(chain, head, vouched)
}

/** What is wrong with a row that is linked: it may have been sealed by somebody else. */
const contentDamage = (id: Claims.SessionId, place: Place, seq: number): Damage | undefined => {
  const row = Option.getOrUndefined(decodeRow({ ...place.content, prev: place.row?.prev, hash: place.row?.hash }))
  if (row === undefined) return damage("edited", seq, `row ${seq} of ${id} is not written as version ${version} does`)
  if ((row.body.kind === "genesis") === (seq === 0)) return undefined
  const detail = seq === 0 ? `row 0 is not a genesis row but ${row.body.kind}` : `row ${seq} is a second genesis row`
  return damage("bad_genesis", seq, detail)
}

/**
 * An anchor saw another row here. Either that row is here as well, or everything since the anchor before may be new.
 */
const contradicted = (chain: Chain, { hash, seq }: Ending, vouched: number): Damage => {
  const others = chain.anchored.get(seq)?.filter((anchored) => anchored !== hash) ?? []
  const last = seq - 1
  return chain.places.some(({ row }) => row !== undefined && row.seq >= last && others.includes(row.hash))
    ? damage("inserted", last, `the row ${last} that an anchor saw stands elsewhere`)
    : damage("rewritten", vouched, `an anchor saw another row ${last}: rows ${vouched} to ${last} may be changed`)
}

/** What is wrong at the end of a chain that holds in itself. */
const ending = (chain: Chain, end: Ending, vouched: number): Damage | undefined => {
  const { head } = chain.expected
  const longest = [...chain.anchored.keys()].reduce((longest, length) => Math.max(longest, length), 0)
  if (longest > end.seq) return damage("truncated", end.seq, `an anchor saw ${longest} rows, and ${end.seq} are here`)
  if (head !== undefined && head.seq > end.seq) {
    return damage("truncated", end.seq, `the control block counts ${head.seq} rows, and ${end.seq} are here`)
  }
  if (end.seq === 0) return damage("bad_genesis", 0, "there are no rows")
  return head === undefined || (head.seq === end.seq && head.hash === end.hash)
    ? undefined
    : headDamage(chain, head, vouched)
}

const headDamage = (chain: Chain, head: Head, vouched: number): Damage =>
  head.seq < chain.places.length && chain.places[head.seq - 1]?.row?.hash === head.hash
    ? damage("inserted", head.seq, `the control block ends the chain before row ${head.seq}`)
    : damage("head_mismatch", Math.max(0, head.seq - 1), `rows from ${vouched} on may be changed`)

/** Where the walk stopped: at the `at`-th stored row, which should be row `seq` and follow `prev`. */
interface Stop {
  readonly at: number
  readonly seq: number
  readonly prev: string
  readonly vouched: number
}

const misfit = (chain: Chain, stop: Stop): Damage => {
  const place = chain.places[stop.at]
  const { seq } = stop
  const row = place?.row
  if (place === undefined || row === undefined) return damage("edited", seq, `what stands at row ${seq} is not a row`)
  if (row.v !== version) return damage("unknown_version", seq, `row ${seq} says that it is of version ${row.v}`)
  const origin = place.isSound ? row.session : sessionOf(chain, place, row)
  if (origin !== undefined && origin !== chain.id) return damage("moved", seq, `row ${seq} is a row of ${origin}`)
  if (row.session !== chain.id) return damage("edited", seq, `row ${seq} says that it is of ${row.session}`)
  return place.isSound ? misplaced(chain, stop, row) : unsound(chain, stop, place, row)
}

/** The row is what somebody sealed, at another place or after another row. */
const misplaced = (chain: Chain, stop: Stop, row: Link): Damage => {
  const { seq } = stop
  if (row.seq < seq) return twice(chain, stop, row, row.seq)
  if (isPastEnd(chain, stop)) return damage("inserted", seq, `the control block ends the chain before row ${seq}`)
  const rest = chain.places.slice(stop.at + 1)
  const belongs = rest.some((place) => isNext(chain, stop, place))
  if (row.seq > seq) {
    const claimed = belongs || rest.some((place) => place.row?.seq === seq && place.row.session === chain.id)
    return claimed
      ? damage("reordered", seq, `row ${row.seq} stands before row ${seq}`)
      : damage("deleted", seq, `row ${row.seq} stands where row ${seq} should`)
  }
  if (belongs) return damage("inserted", seq, `row ${seq} does not follow the row before it, and another row does`)
  // Of two rows that do not fit together, the one that nothing else vouches for was sealed anew.
  const isBefore = seq > 0 && stop.vouched < seq && isVouched(chain, row.hash)
  const detail = `row ${seq} was not written after what stands before it; rows from ${stop.vouched} on may be changed`
  return damage("edited", isBefore ? seq - 1 : seq, detail)
}

/** The row is not what anybody sealed, as it stands. */
const unsound = (chain: Chain, stop: Stop, place: Place, row: Link): Damage => {
  const { seq } = stop
  if (row.seq >= seq && isPastEnd(chain, stop)) {
    return damage("inserted", seq, `the control block ends the chain before row ${seq}`)
  }
  const own = seqOf(chain, stop, place, row)
  const next = chain.places.slice(stop.at + 1).find((place) => isNext(chain, stop, place))
  if (next !== undefined) {
    return own === undefined
      ? damage("inserted", Math.min(seq, row.seq), `a row ${row.seq} that was never sealed stands before row ${seq}`)
      : damage("reordered", seq, `row ${own} stands in the place of row ${seq}`)
  }
  if (own !== undefined && own < seq) return twice(chain, stop, row, own)
  if (own !== undefined && own > seq) {
    return damage("deleted", seq, `what was row ${own} stands where row ${seq} should`)
  }
  if (own === undefined && row.seq < seq) {
    return damage("inserted", row.seq, `a second row ${row.seq} stands here that was never sealed`)
  }
  if (own === undefined && row.seq > seq) return damage("deleted", seq, `row ${row.seq} stands where row ${seq} should`)
  return damage("edited", seq, `row ${seq} does not have the hash of what it says`)
}

/** Whether all rows that the control block knows are there and sound, so that this one is too many. */
const isPastEnd = ({ expected: { head } }: Chain, { prev, seq }: Stop): boolean =>
  head !== undefined && head.seq === seq && head.hash === prev

/** A row claims the place of one that the walk has passed. */
const twice = (chain: Chain, stop: Stop, row: Link, seq: number): Damage => {
  const passed = chain.places.slice(0, stop.at).findLast((place) => place.row?.seq === seq)?.row
  if (passed === undefined) return damage("reordered", seq, `row ${seq} stands after row ${stop.seq - 1}`)
  if (passed.hash === row.hash) return damage("duplicated", seq, `row ${seq} stands here twice`)
  return isVouched(chain, passed.hash) && isVouched(chain, row.hash)
    ? damage("forked", seq, `two rows ${seq} stand here, and rows follow on both`)
    : damage("inserted", seq, `two rows ${seq} stand here, and nothing follows on one of them`)
}

/** Whether a stored row is the one that the walk is waiting for, but for its number. */
const isNext = (chain: Chain, { prev, seq }: Stop, { content, isSound, row }: Place): boolean =>
  row !== undefined && row.prev === prev && row.session === chain.id &&
  (row.seq === seq ? isSound : hashes(chain.digest, row, { ...content, seq }))

/**
 * Whether something else says that there is a row with this hash: one that follows it, the control block, an anchor.
 */
const isVouched = (chain: Chain, hash: string): boolean =>
  chain.expected.head?.hash === hash ||
  chain.places.some((place) => place.row?.prev === hash && place.isSound) ||
  [...chain.anchored.values()].some((hashes) => hashes.includes(hash))

/** Numbers tried, either way, to find under which a row was sealed. */
const maxTries = 64

/** The number under which the row was sealed; `undefined` when it was not this content that was sealed. */
const seqOf = (chain: Chain, { seq: near }: Stop, { content }: Place, row: Link): number | undefined => {
  const before = chain.places.find((place) => place.row?.hash === row.prev)?.row
  const around = Array.from({ length: maxTries }, (_, away) => [near - away, near + away]).flat()
  return [before === undefined ? near : before.seq + 1, ...around].find((seq) =>
    seq >= 0 && hashes(chain.digest, row, { ...content, seq })
  )
}

/** The other session in which the row was sealed. */
const sessionOf = (chain: Chain, { content }: Place, row: Link): string | undefined => {
  for (const session of chain.expected.others ?? []) {
    if (session !== chain.id && hashes(chain.digest, row, { ...content, session })) return session
  }
  return undefined
}
