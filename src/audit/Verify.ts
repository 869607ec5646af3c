/**
 * Verifies a log: every chain against its control block and against every anchor, every payload against the rows that
 * name it, and the anchors against each other. Needs no database: rows, payloads and anchors are handed in, from a live
 * log (`online`) or from a bundle.
 *
 * A report that found nothing says what it could not look at: rows after the last anchor can be rewritten unseen, and
 * without anchors so can everything. `Inspect` says how one chain is read.
 */
import { DateTime, Effect, Option, type Schema } from "effect"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import * as Consent from "./Consent.ts"
import * as Cosigning from "./Cosigning.ts"
import { Digest, type Hash } from "./Digest.ts"
import type { Finding, Report, Unchecked } from "./Finding.ts"
import * as Inspect from "./Inspect.ts"
import * as Installation from "./Installation.ts"
import * as Lineage from "./Lineage.ts"
import { Log, type LogError } from "./Log.ts"
import type * as Note from "./Note.ts"
import type { Row } from "./Row.ts"
import { Verifier } from "./Signer.ts"
import { covered, hear, ofAnchor, type Testimony, type Tools, type Trust } from "./Testimony.ts"

export { session } from "./Inspect.ts"
export type { Tools } from "./Testimony.ts"

/** Where a control block says that a chain ends. */
export interface Held {
  readonly id: Claims.SessionId
  readonly seq: number
  readonly head: Hash
}

/**
 * Whom to believe, and how much of the log is there. Without `keys`, signatures of anchors go unchecked, and the report
 * says so; the same without `witnesses`. `seen` are checkpoints kept from earlier verifications, or from a witness: the
 * anchors must still lead to each.
 */
export interface Terms extends Trust {
  /** Whether the keys came with the evidence itself; `false` unless set. */
  readonly areKeysOwn?: boolean | undefined
  /** Whether the sessions are all that there are; `true` unless set. */
  readonly isComplete?: boolean | undefined
}

/** Everything to verify. Nothing of it is trusted but `keys` and `seen`. */
export interface Evidence extends Terms {
  readonly sessions: ReadonlyArray<Held>
  /** The rows of each session as they are stored. */
  readonly rows: ReadonlyMap<Claims.SessionId, ReadonlyArray<Schema.Json>>
  /** Texts by their hashes; `null` when payloads were left out. */
  readonly payloads: ReadonlyMap<string, string> | null
  readonly anchors: ReadonlyArray<Anchor.Stored>
}

/** Verifies everything that is there. */
export const all = (tools: Tools, evidence: Evidence): Report => {
  const heard = hear(tools, evidence.anchors, evidence)
  const held = new Map(evidence.sessions.map((session) => [session.id, session]))
  const ids = new Set([...held.keys(), ...evidence.rows.keys()])
  const { payloads } = evidence
  const parts = [...ids].map((id) =>
    examine(tools, heard, ids, { id, held: held.get(id), rows: evidence.rows.get(id) ?? [], payloads })
  )
  const findings = [...strays(tools, parts, payloads), ...consents(parts, evidence), ...forks(parts, evidence)]
  return report(heard, parts, evidence, { findings, unchecked: [] })
}

/**
 * Verifies a log as it stands, one session after the other; a session that is being written meanwhile is no finding.
 * The witnesses that this log has are asked what they know, and believed.
 */
export const online = Effect.fn("Verify.online")(function*(
  terms: Terms & { readonly sessions: "all" | ReadonlyArray<Claims.SessionId>; readonly payloads?: boolean | undefined }
): Effect.fn.Return<
  Report,
  LogError | Anchor.AnchorError,
  Log | Anchor.Anchors | Digest | Verifier | Cosigning.Witnesses
> {
  const log = yield* Log
  const tools = { digest: yield* Digest, verifier: yield* Verifier }
  const { peers } = yield* Cosigning.Witnesses
  const trust = { ...terms, witnesses: [...terms.witnesses ?? [], ...peers.map(({ key }) => key)] }
  // Anchors before sessions: what an anchor says is then true of every later state of the log.
  const heard = hear(tools, yield* (yield* Anchor.Anchors).list(0), trust)
  const ids = new Set((yield* log.sessions).map((session) => session.id))
  const chosen = terms.sessions === "all" ? ids : new Set(terms.sessions)
  // The installation's chain last: every rule that an act was approved by stands in it by then.
  const isRuled = terms.sessions === "all" && Option.isSome(yield* log.session(Installation.id))
  const order = [...chosen].filter((id) => id !== Installation.id)
  const last = isRuled || chosen.has(Installation.id) ? [Installation.id] : []
  const parts = yield* Effect.forEach([...order, ...last], (id) =>
    Effect.gen(function*() {
      const { held, rows } = yield* snapshot(log, id)
      const payloads = terms.payloads === false ? null : yield* payloadsOf(log, rows)
      return examine(tools, heard, ids, { id, held, rows, payloads })
    }))
  const answers = yield* Effect.forEach(peers, (peer) => asked(tools, heard, peer, terms.keys), { concurrency: 4 })
  const whole = { ...trust, isComplete: terms.sessions === "all" }
  return report(heard, parts, whole, {
    findings: [...consents(parts, whole), ...forks(parts, whole), ...answers.flatMap(({ findings }) => findings)],
    unchecked: answers.flatMap(({ unchecked }) => unchecked)
  })
})

/** A session's control block and the rows that it covers: rows that are written meanwhile are left out. */
export const snapshot = Effect.fnUntraced(function*(log: Log["Service"], id: Claims.SessionId) {
  const before = Option.getOrUndefined(yield* log.session(id))
  const rows = yield* log.rows(id)
  const after = Option.getOrUndefined(yield* log.session(id))
  const isStill = before === undefined || before.seq === after?.seq
  return { held: before, rows: isStill ? rows : rows.filter((row) => row.seq < before.seq) }
})

/** The hashes under which a row names payloads; of a row that is no row, none. */
export const payloadHashes = (row: Schema.Json): ReadonlyArray<Hash> => {
  const body = memberOf(row, "body")
  const memory = memberOf(body, "memory") ?? null
  const kept = Inspect.isObject(memory) ? Object.values(memory) : []
  const named = ["input", "args", "shown", "result", "partial", "terms"].map((name) => memberOf(body, name))
  return [...named, ...kept].filter(isHash)
}

// internal

/** What is there of one session. */
interface Session {
  readonly id: Claims.SessionId
  readonly held: Held | undefined
  readonly rows: ReadonlyArray<Schema.Json>
  readonly payloads: ReadonlyMap<string, string> | null
}

/** What was seen of one session. */
interface Part {
  readonly id: Claims.SessionId
  readonly finding: Finding | undefined
  readonly rows: number
  /** Rows that no anchor covers. */
  readonly uncovered: number
  /** The session that began this one, as its genesis row says. */
  readonly parent: string | undefined
  /** What its rows say of forks, if they hold. */
  readonly fork: Lineage.Traces | undefined
  readonly named: ReadonlySet<Hash>
  /** What its rows say of consent, if they hold. */
  readonly consent: Consent.Traces | undefined
  /** Payloads that are not there; `null` when none were handed in. */
  readonly erased: number | null
}

const isHash = (value: Schema.Json | undefined): value is Hash =>
  typeof value === "string" && /^[0-9a-f]{64}$/.test(value)
const memberOf = (value: Schema.Json | undefined, name: string): Schema.Json | undefined =>
  value !== undefined && Inspect.isObject(value) ? value[name] : undefined

const payloadsOf = (log: Log["Service"], rows: ReadonlyArray<Schema.Json>) =>
  Effect.gen(function*() {
    const payloads = new Map<string, string>()
    for (const hash of new Set(rows.flatMap(payloadHashes))) {
      const text = yield* log.payload(hash)
      if (Option.isSome(text)) payloads.set(hash, text.value)
    }
    return payloads
  })

const examine = (tools: Tools, heard: Testimony, ids: Iterable<Claims.SessionId>, session: Session): Part => {
  const { held, id, payloads, rows } = session
  const anchored = heard.leaves.get(id) ?? []
  const head = held === undefined ? undefined : { seq: held.seq, hash: held.head }
  const length = anchored.reduce((longest, leaf) => Math.max(longest, leaf.seq), 0)
  const named = new Set(rows.flatMap(payloadHashes))
  const finding = (held === undefined ? headless(id, rows) : undefined) ??
    Inspect.session(tools.digest, rows, { session: id, head, anchored, others: ids }) ??
    payloadDamage(tools, session, named)
  // Only a genesis row that holds is believed.
  const parent = finding === undefined ? memberOf(memberOf(rows[0], "body"), "parent") : undefined
  return {
    id,
    finding,
    rows: rows.length,
    uncovered: Math.max(0, rows.length - length),
    parent: typeof parent === "string" ? parent : undefined,
    named,
    // Rows of a chain that holds are written as this version writes them.
    fork: finding === undefined ? Lineage.trace(id, rows as ReadonlyArray<unknown> as ReadonlyArray<Row>) : undefined,
    consent: finding === undefined
      ? Consent.trace(id, rows as ReadonlyArray<unknown> as ReadonlyArray<Row>)
      : undefined,
    erased: payloads === null ? null : [...named].filter((hash) => !payloads.has(hash)).length
  }
}

const removed = (session: Claims.SessionId, detail: string): Finding => ({
  kind: "session_removed",
  session,
  seq: null,
  detail
})

const headless = (id: Claims.SessionId, rows: ReadonlyArray<Schema.Json>): Finding =>
  removed(id, rows.length === 0 ? "there is no such session" : "its rows are here, and its control block is not")

/** Text that is not Unicode has the hash of another text. */
const isOf = (tools: Tools, hash: string, text: string): boolean =>
  text.isWellFormed() && tools.digest.sha256(text) === hash

/** The first row that names a payload in whose place another text stands. */
const payloadDamage = (
  tools: Tools,
  { id, payloads, rows }: Session,
  named: ReadonlySet<Hash>
): Finding | undefined => {
  const isAltered = (hash: Hash): boolean => {
    const text = payloads?.get(hash)
    return text !== undefined && !isOf(tools, hash, text)
  }
  const altered = new Set([...named].filter(isAltered))
  const seq = rows.findIndex((row) => payloadHashes(row).some((hash) => altered.has(hash)))
  const detail = `row ${seq} names a payload, and another text stands in its place`
  return seq < 0 ? undefined : { kind: "payload_altered", session: id, seq, detail }
}

/** Acts without the consent that they name. */
const consents = (parts: ReadonlyArray<Part>, { isComplete = true }: Terms): ReadonlyArray<Finding> =>
  Consent.judge(parts.flatMap(({ consent }) => consent ?? []), isComplete)

/** Forks that do not go on from the row that they name. What does not hold itself has its own finding. */
const forks = (parts: ReadonlyArray<Part>, { isComplete = true }: Terms): ReadonlyArray<Finding> =>
  Lineage.judge(
    parts.flatMap(({ fork }) => fork ?? []),
    new Set(parts.flatMap(({ fork, id }) => fork === undefined ? [id] : [])),
    isComplete
  )

/** Altered payloads that no row names. */
const strays = (tools: Tools, parts: ReadonlyArray<Part>, payloads: Evidence["payloads"]): ReadonlyArray<Finding> => {
  const named = new Set<string>(parts.flatMap((part) => [...part.named]))
  return [...payloads ?? []]
    .filter(([hash, text]) => !named.has(hash) && !isOf(tools, hash, text))
    .map(([hash]) => ofAnchor("payload_altered", null, `another text stands at ${hash}, which no row names`))
}

/** Sessions that anchors or children know, and that are not there. */
const removals = (heard: Testimony, parts: ReadonlyArray<Part>): ReadonlyArray<Finding> => {
  const here = new Set<string>(parts.map((part) => part.id))
  const anchored = [...heard.leaves.keys()]
    .filter((id) => !here.has(id))
    .map((id) => removed(id, "anchors know it, and it is not here"))
  const known = new Set<string>([...here, ...heard.leaves.keys()])
  const parents = parts.flatMap(({ id, parent }) => {
    if (parent === undefined || known.has(parent)) return []
    known.add(parent)
    // A name from outside is only repeated in the finding.
    return [removed(parent as Claims.SessionId, `${id} was begun by it, and it is not here`)]
  })
  return [...anchored, ...parents]
}

/** Leaves are withheld for sessions that are left out; where none is, a withheld leaf hides one. */
const withheld = ({ withheld }: Testimony): ReadonlyArray<Finding> =>
  withheld === 0
    ? []
    : [ofAnchor("anchor_altered", null, `leaves withheld: ${withheld}, though no session is left out`)]

/** What was found, or could not be looked at, apart from rows and anchors. */
type Besides = Pick<Report, "findings" | "unchecked">

/** What a witness knows, when it is asked to sign the newest anchor. What it signs now covers nothing from before. */
const asked = Effect.fnUntraced(function*(
  tools: Tools,
  heard: Testimony,
  peer: Cosigning.Peer,
  keys: ReadonlyArray<Note.Key>
): Effect.fn.Return<Besides, Anchor.AnchorError, Anchor.Anchors> {
  const anchors = yield* Anchor.Anchors
  const from = (heard.last?.anchor.sequence ?? -1) + 1
  const more = Effect.map(anchors.list(from), (stored) => hear(tools, stored, { keys }).sound)
  const history = Cosigning.historyOf(tools.digest, heard.sound, more)
  if (history === undefined) return { findings: [], unchecked: [] }
  const guess = history.newest.before.size
  return yield* Cosigning.ask(tools, { peer, guess }, history).pipe(
    // What it signed is kept if it can be; that it was signed is known already, and it is asked again.
    Effect.tap(({ line, name }) => Effect.ignore(anchors.cosign(name, line))),
    Effect.as({ findings: [], unchecked: [] }),
    Effect.catchTag("CosigningError", ({ reason }) =>
      Effect.succeed<Besides>(
        reason._tag === "Contradicted"
          ? { findings: [ofAnchor("witness_contradicts", null, reason.detail)], unchecked: [] }
          : { findings: [], unchecked: [{ kind: "witness_silent", count: null, detail: reason.detail }] }
      ))
  )
})

const report = (
  heard: Testimony,
  parts: ReadonlyArray<Part>,
  terms: Terms,
  besides: Besides
): Report => {
  const isComplete = terms.isComplete ?? true
  const findings = [
    ...parts.flatMap((part) => part.finding ?? []),
    ...isComplete ? [...removals(heard, parts), ...withheld(heard)] : [],
    ...heard.findings,
    ...besides.findings
  ]
  return {
    ok: findings.length === 0,
    sessions: parts.length,
    rows: parts.reduce((rows, part) => rows + part.rows, 0),
    anchors: heard.count,
    findings,
    unchecked: [...gapsOf(heard, parts, terms), ...witnessGaps(heard, parts, terms), ...besides.unchecked],
    witnesses: heard.vouched.map(({ last, witness }) => ({
      witness: witness.name,
      anchor: last?.sequence ?? null,
      at: last === undefined ? null : last.at * 1000
    })),
    checkpoint: heard.checkpoint ?? null
  }
}

const gapsOf = (heard: Testimony, parts: ReadonlyArray<Part>, terms: Terms): ReadonlyArray<Unchecked> => {
  const gaps: Array<Unchecked> = []
  const uncovered = parts.reduce((rows, part) => rows + part.uncovered, 0)
  const erased = parts.reduce((count, part) => count + (part.erased ?? 0), 0)
  if (heard.last === undefined) {
    const detail = "no anchors: a chain that was rewritten as a whole, or a session that was removed, would not be seen"
    gaps.push({ kind: "no_anchors", count: uncovered, detail })
  } else {
    const { at, sequence } = heard.last.anchor
    const since = `rows after anchor ${sequence} of ${timeOf(at)}: ${uncovered}`
    const detail = `${since}; they may have been rewritten, and later anchors removed, unseen`
    gaps.push({ kind: "after_last_anchor", count: uncovered, detail })
  }
  if (terms.keys.length === 0 && heard.count > 0) {
    gaps.push({ kind: "no_keys", count: null, detail: "no key to check anchors with: anybody may have made them" })
  }
  if (terms.areKeysOwn === true && terms.keys.length > 0) {
    const detail = "the keys came with the bundle: compare them with what the installation publishes elsewhere"
    gaps.push({ kind: "own_keys", count: null, detail })
  }
  if (terms.isComplete === false) {
    const detail = `only chosen sessions; leaves withheld for others, or for these: ${heard.withheld}`
    gaps.push({ kind: "other_sessions", count: null, detail })
  }
  if (parts.some((part) => part.erased === null)) {
    gaps.push({ kind: "payloads_left_out", count: null, detail: "payloads were left out" })
  }
  if (erased > 0) {
    const detail = `payloads erased: ${erased}; the rows that name them stand`
    gaps.push({ kind: "payload_missing", count: erased, detail })
  }
  return gaps
}

const timeOf = (at: number): string =>
  Option.match(DateTime.make(at), { onNone: () => String(at), onSome: DateTime.formatIso })

/** What is not kept from whoever holds log and anchors, perhaps with the key that signs them. */
const witnessGaps = (heard: Testimony, parts: ReadonlyArray<Part>, terms: Terms): ReadonlyArray<Unchecked> => {
  const gaps: Array<Unchecked> = []
  if (heard.unlocked > 0) {
    const detail = `anchors that somebody may remove or overwrite where they are kept: ${heard.unlocked}`
    gaps.push({ kind: "anchors_unlocked", count: null, detail })
  }
  if ((terms.witnesses ?? []).length === 0 && heard.count > 0) {
    const who = "whoever holds log, anchors and the key that signs them could have made all of it anew"
    gaps.push({ kind: "no_witnesses", count: null, detail: `no key of a witness to check co-signatures with: ${who}` })
  }
  for (const { last, witness } of heard.vouched) {
    const lengths = covered(heard.sound, last?.sequence ?? -1)
    const open = parts.reduce((rows, part) => rows + Math.max(0, part.rows - (lengths.get(part.id) ?? 0)), 0)
    const signed = last === undefined ? "none of the anchors here" : `up to anchor ${last.sequence}`
    // Rows that no anchor covers are told of already.
    if (last === undefined || last.sequence !== heard.last?.anchor.sequence) {
      const detail = `${witness.name} signed ${signed}; rows that only the holder of the log vouches for: ${open}`
      gaps.push({ kind: "not_cosigned", count: open, detail })
    }
  }
  return gaps
}
