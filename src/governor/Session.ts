/**
 * The running session, as its acts see it: identity, token, epoch, the journal of earlier runs, and the place (`path`,
 * ordinal) that the next act gets. Only `enter` makes one, from durable state, so an actor cannot hand itself a session
 * with another token, other accounts or a forged history.
 */
import { Context, Effect } from "effect"
import { type Digest, Lineage, Log, type Row } from "../audit/index.ts"
import type { Capability, Claims } from "../capability/index.ts"
import { Label } from "../trust/index.ts"
import { Store, StoreError, Unavailable } from "./Store.ts"

/** What the journal holds about one act. */
export interface Recorded {
  readonly act: string
  readonly args: Digest.Hash
  /** Hash of the definition that it was asked for under. */
  readonly schema: Digest.Hash
  readonly intent: number
  /** When it began, epoch milliseconds. */
  readonly at: number
  /** Of a timer: when it is over. */
  readonly until?: number | undefined
  /** Whether a run broke down of it, so that the next asks anew where that can be undone. */
  readonly broke?: boolean | undefined
  /** Absent while the outcome is not known. */
  readonly outcome: { readonly seq: number; readonly body: typeof Row.Outcome.Type } | undefined
  /** What was decided about a lost outcome. */
  readonly settled: { readonly seq: number; readonly body: typeof Row.Settled.Type } | undefined
  /** The session that it was done in, where this one was forked from it; `seq`s are of that chain. */
  readonly from?: Claims.SessionId | undefined
}

/** The parts of an actor's definition that bound its sessions. */
export interface ActorClass {
  readonly name: string
  readonly capabilities: ReadonlyArray<Capability.Name>
  readonly backends: ReadonlyArray<string>
  /** Groups that the class's own data is for. */
  readonly readers?: ReadonlyArray<string> | undefined
}

interface Core {
  readonly summary: Log.Summary
  readonly actor: ActorClass
  readonly journal: ReadonlyMap<string, Recorded>
  /** The payload that each key of the working memory holds. */
  readonly memory: Map<string, Digest.Hash>
  /** Groups whose data the session has seen. */
  readonly readers: Set<string>
  /** Whether its request may be a stranger's. */
  readonly isStrange: boolean
  /** What the session has read, in order. */
  readonly read: Array<Read>
  /** How much of that had been read each time when people had looked at how far the session had drifted. */
  readonly accepted: ReadonlyArray<number>
  /** What was refused by where it would have gone, by key: the same in every re-run. */
  readonly refused: ReadonlyMap<string, typeof Row.Refusal.Type>
  /** Of a fork: what was refused in the sessions before it, by key, and came to nothing there. */
  readonly closed: ReadonlyMap<string, typeof Row.Refusal.Type>
  /** Of a fork: paths on which the sessions before it acted, each with the token that it stood under there. */
  readonly trodden: ReadonlyMap<string, string>
}

/** A result that a session has read: whose it is, what is declared of it, and the payload it is. */
export interface Read {
  readonly stamp: Row.Stamp
  readonly tool: string
  readonly declared: Label.Declared
  /** Its arguments; `null` where they are not known. */
  readonly args: Digest.Hash | null
  readonly result: Digest.Hash | null
  /** What detectors found in it. */
  readonly detected?: Row.Detected | undefined
}

/** What a session was asked for and has read so far, and whether something of a stranger's is known beside that. */
export interface Known {
  readonly input: Digest.Hash
  /** Whether the request itself may be a stranger's. */
  readonly isStrange: boolean
  /** In order, and growing; the same array for as long as the run goes on. */
  readonly read: ReadonlyArray<Read>
  /** Whether an act under way around here may know a stranger's text already. */
  readonly isWithin: boolean
}

/**
 * See the header. In `R` it says: this program runs inside a session.
 *
 * @effect-leakable-service
 */
export class Session extends Context.Service<Session, Entered>()("aosiq/governor/Session") {}

let make: (core: Core, path: string, within: Within) => Entered
/** The working memory of a run: for the Governor alone, the room's door does not export it. */
export let memoryOf: (session: Entered) => Map<string, Digest.Hash>
/** Notes groups whose data a run has seen: for the Governor alone, as above. */
export let see: (session: Entered, readers: ReadonlyArray<string>) => void
/** Groups whose data the session has seen so far. */
export let readersOf: (session: Entered) => ReadonlyArray<string>
/** The same, and the groups that the acts under way around this path are for: their handlers may know already. */
export let knownOf: (session: Entered) => ReadonlyArray<string>
/** Notes a result that a run has read: for the Governor alone, as above. */
export let learn: (session: Entered, read: Read) => void
/** What its arguments can come from. */
export let knowledgeOf: (session: Entered) => Known
/** After how many results people have accepted the session's course. */
export let acceptedOf: (session: Entered) => ReadonlyArray<number>
/** Whether the session has read a stranger's text, or something as good as that. */
export let isTainted: (session: Entered) => boolean
/** What an earlier run was refused at `key` by where it would have gone. */
export let refusedAt: (session: Entered, key: string) => typeof Row.Refusal.Type | undefined
/** What a session before this one was refused at `key`, and never did: nor does this one. */
export let closedAt: (session: Entered, key: string) => typeof Row.Refusal.Type | undefined
/** What `make` made. A constructor is private to the compiler only. */
const made = new WeakSet<Entered>()

/** One run of one session, at one path. */
export class Entered {
  readonly id: Claims.SessionId
  readonly actor: ActorClass
  readonly token: string
  readonly epoch: number
  readonly accounts: ReadonlyArray<string>
  readonly caller: string
  readonly path: string
  readonly #core: Core
  readonly #within: Within
  #ordinal = 0

  private constructor(core: Core, path: string, within: Within) {
    this.#core = core
    this.#within = within
    this.id = core.summary.id
    this.actor = core.actor
    this.token = core.summary.token
    this.epoch = core.summary.epoch
    this.accounts = Object.freeze([...core.summary.accounts])
    this.caller = core.summary.caller
    this.path = path
    Object.freeze(this)
  }

  static {
    make = (core, path, within) => {
      const entered = new Entered(core, path, within)
      made.add(entered)
      return entered
    }
    memoryOf = (session) => session.#core.memory
    see = (session, readers) => {
      for (const reader of readers) session.#core.readers.add(reader)
    }
    readersOf = (session) => [...session.#core.readers]
    knownOf = (session) => [...session.#core.readers, ...session.#within.readers]
    learn = (session, read) => {
      session.#core.read.push(read)
    }
    knowledgeOf = (session) => {
      const { isStrange, read, summary } = session.#core
      return { input: summary.input, isStrange, read, isWithin: session.#within.isStrange }
    }
    acceptedOf = (session) => session.#core.accepted
    isTainted = (session) =>
      session.#core.isStrange || session.#within.isStrange ||
      session.#core.read.some(({ declared }) => Label.overall(declared) === "untrusted")
    refusedAt = (session, key) => session.#core.refused.get(key)
    closedAt = (session, key) => session.#core.closed.get(key)
  }

  /** Whether `enter` made the value. */
  static isEntered(value: Entered): boolean {
    return made.has(value)
  }

  /** The place of the next act on this path. */
  nextKey(): string {
    return `${this.path}#${this.#ordinal++}`
  }

  /** What marks of envelopes follow from: the same in every run, and in every fork for what was shown before it. */
  markedAs(part = ""): { readonly token: string; readonly path: string } {
    return { token: this.#core.trodden.get(this.path) ?? this.token, path: `${this.path}${part}` }
  }

  /** What an earlier run recorded at `key`. */
  recall(key: string): Recorded | undefined {
    return this.#core.journal.get(key)
  }

  /**
   * The same session on a path of its own, with ordinals of its own; below an act whose results are for `readers`, and
   * whose handler may know a stranger's text.
   */
  at(path: string, readers: ReadonlyArray<string> = [], isStrange = false): Entered {
    const { isStrange: was, readers: above } = this.#within
    return make(this.#core, path, { readers: [...above, ...readers], isStrange: was || isStrange })
  }
}

/**
 * Runs `self` on a path of its own. Acts that run side by side must each have one, or a re-run could meet them in
 * another order and call that nondeterminism.
 */
export const branch = (name: string) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Session> =>
  Effect.flatMap(Session, (session) => Effect.provideService(self, Session, session.at(`${session.path}/${name}`)))

/**
 * Runs `self` as the body of `session`. The mark it leaves in the context stays when another session is provided over
 * it, so that a child cannot act in the name of the session above it.
 */
export const within =
  (session: Entered) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Session>> =>
    self.pipe(Effect.provideService(Session, session), Effect.provideService(mark(session.id), session.id))

/** The sessions whose bodies run in `context`, each above or below the others. */
export const running = (context: Context.Context<never>): ReadonlyArray<string> => {
  const ids: Array<string> = []
  for (const key of context.mapUnsafe.keys()) if (key.startsWith(marks)) ids.push(key.slice(marks.length))
  return ids
}

/** Whether everything that runs in `context` runs for `session` or for one above it. */
export const isInnermost = (session: Entered, context: Context.Context<never>): boolean =>
  running(context).every((id) => id === session.id || session.id.startsWith(`${id}.`))

/** Takes the session for one run: fences off older runs and reads the journal. */
export const enter = Effect.fnUntraced(function*(
  id: Claims.SessionId,
  actor: ActorClass
): Effect.fn.Return<Entered, StoreError, Store | Log.Log> {
  const store = yield* Store
  const log = yield* Log.Log
  const { session } = yield* store.commit({ _tag: "Claim", session: id })
  const own = yield* Effect.mapError(log.rows(id), unread)
  const before = yield* Effect.mapError(Lineage.before(log, own), unread)
  const rows = [...before.flatMap((part) => part.rows), ...own]
  const readers = new Set([...actor.readers ?? [], ...seen(rows)])
  const known = before.flatMap((part) => read(part.rows))
  const inherited = handedOn(before)
  const core: Core = {
    summary: session,
    actor: frozen(actor),
    journal: new Map([...inherited, ...journal(own)]),
    memory: memory(rows),
    readers,
    isStrange: rows.some(({ body }) => body.kind === "genesis" && body.trust === "untrusted"),
    read: [...known, ...read(own)],
    accepted: accepted(own).map((count) => known.length + count),
    refused: refused(own),
    closed: new Map([...closed(before)].filter(([key]) => !inherited.has(key))),
    trodden: trodden(before)
  }
  return make(core, "", { readers: [], isStrange: false })
})

/** How a timer is named among acts. */
export const timer = "sleep"

/** The journal in a chain: each act by its place. */
export const journal = (rows: ReadonlyArray<Row.Row>): ReadonlyMap<string, Recorded> => {
  const acts = new Map<string, Recorded>()
  for (const { at, body, key, seq } of rows) {
    if (body.kind === "restarted") forget(acts, body.again)
    if (key === null) continue
    if (body.kind === "intent") {
      const { act, args, schema } = body
      acts.set(key, { act, args, schema, intent: seq, at, outcome: undefined, settled: undefined })
    }
    if (body.kind === "timer") {
      const { args, until } = body
      acts.set(key, { act: timer, args, schema: args, intent: seq, at, until, outcome: undefined, settled: undefined })
    }
    const begun = acts.get(key)
    if (begun === undefined) continue
    if (body.kind === "outcome") acts.set(key, { ...begun, outcome: { seq, body } })
    if (body.kind === "settled") acts.set(key, { ...begun, settled: { seq, body } })
  }
  return acts
}

/** The working memory in a chain: the payload of each key, as its acts left it. */
export const memory = (rows: ReadonlyArray<Row.Row>): Map<string, Digest.Hash> => {
  const held = new Map<string, Digest.Hash>()
  for (const { body } of rows) {
    if (body.kind !== "outcome") continue
    for (const [key, hash] of Object.entries(body.memory ?? {})) {
      if (hash === null) held.delete(key)
      else held.set(key, hash)
    }
  }
  return held
}

/** The groups whose data a session has seen by its chain, whatever became of the acts. */
export const seen = (rows: ReadonlyArray<Row.Row>): ReadonlyArray<string> =>
  rows.flatMap(({ body }) => body.kind === "genesis" || body.kind === "intent" ? body.readers ?? [] : [])

/** Whether an act is a question to models: what it answers is made of what the session knows already. */
export const isModel = (capabilities: ReadonlyArray<string>): boolean =>
  capabilities.length > 0 && capabilities.every((name) => name.startsWith("backend:"))

/** What a session has read by its chain. A result that somebody gave for a lost act is nobody's that we know. */
export const read = (rows: ReadonlyArray<Row.Row>): Array<Read> => {
  const models = new Set<number>()
  const asked = new Map<number, Digest.Hash>()
  const found: Array<Read> = []
  for (const row of rows) {
    const { body } = row
    if (body.kind === "intent") asked.set(row.seq, body.args)
    if (body.kind === "intent" && isModel(body.capabilities)) models.add(row.seq)
    if ((body.kind !== "outcome" && body.kind !== "settled") || models.has(body.intent)) continue
    const { act: tool, result } = body
    const isGiven = body.kind === "settled"
    if (isGiven && result === null) continue
    const declared = isGiven
      ? "untrusted"
      : (body.status === "succeeded" ? body.fields : undefined) ?? body.trust
    const args = asked.get(body.intent) ?? null
    found.push({ stamp: `${row.session}/${row.seq}`, tool, declared, args, result, detected: body.detected })
  }
  return found
}

// internal

/** A session that has drifted is paused; whoever resumes it has looked. */
const accepted = (rows: ReadonlyArray<Row.Row>): ReadonlyArray<number> => {
  let hasDrifted = false
  return rows.flatMap(({ body }, at) => {
    if (body.kind === "drifted") hasDrifted = true
    if (!hasDrifted || body.kind !== "noted" || body.what !== "resumed") return []
    hasDrifted = false
    return [read(rows.slice(0, at)).length]
  })
}

/** What the acts are for that are under way around a path. */
interface Within {
  readonly readers: ReadonlyArray<string>
  readonly isStrange: boolean
}

const refused = (rows: ReadonlyArray<Row.Row>): ReadonlyMap<string, typeof Row.Refusal.Type> => {
  const found = new Map<string, typeof Row.Refusal.Type>()
  for (const { body, key } of rows) {
    if (key !== null && body.kind === "refusal" && body.layer === "policy" && !body.ran) found.set(key, body)
  }
  return found
}

/** The journal that a fork has from the sessions before it. */
const handedOn = (before: ReadonlyArray<Lineage.Part>): ReadonlyMap<string, Recorded> =>
  new Map(
    before.flatMap(({ rows, session }) =>
      [...journal(rows)].map(([key, act]): [string, Recorded] => [key, { ...act, from: session }])
    )
  )

const closed = (before: ReadonlyArray<Lineage.Part>): ReadonlyMap<string, typeof Row.Refusal.Type> =>
  new Map(
    before.flatMap(({ rows }) =>
      rows.flatMap(({ body, key }) =>
        key !== null && body.kind === "refusal" && !body.ran ? [[key, body] as const] : []
      )
    )
  )

/** Every path on which an act stands, or one below it, under the token of the first session that came there. */
const trodden = (before: ReadonlyArray<Lineage.Part>): ReadonlyMap<string, string> => {
  const tokens = new Map<string, string>()
  for (const { rows, token } of before) {
    for (const { body, key } of rows) {
      if (key === null || body.kind !== "intent") continue
      for (const { index } of key.matchAll(/[/#]/g)) {
        const path = key.slice(0, index)
        if (path !== "" && !tokens.has(path)) tokens.set(path, token)
      }
    }
  }
  return tokens
}

/** What a run broke down of is no answer for the next. */
const forget = (acts: Map<string, Recorded>, seq: number | null) => {
  for (const [key, act] of acts) if (act.outcome?.seq === seq) acts.set(key, { ...act, broke: true })
}

const marks = "aosiq/governor/Session/within/"
const mark = (id: Claims.SessionId) => Context.Service<Claims.SessionId>(`${marks}${id}`)

/** A body sees its own bounds and cannot move them. */
const frozen = ({ backends, capabilities, name, readers }: ActorClass): ActorClass =>
  Object.freeze({
    name,
    capabilities: Object.freeze([...capabilities]),
    backends: Object.freeze([...backends]),
    readers: Object.freeze([...readers ?? []])
  })

const unread = (error: Log.LogError): StoreError =>
  new StoreError({ reason: new Unavailable({ detail: error.detail, remedy: error.remedy, maybe: false }) })
