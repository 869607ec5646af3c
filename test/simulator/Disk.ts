/**
 * The database of a simulation: one workspace that outlives every process, and the way of each process to it. What was
 * sent arrives, whether its sender is still there or not; what is answered may be old when it is read; and whether a
 * commit whose answer was lost was taken, nobody is told.
 */
import { Clock, Context, Effect, Exit, Layer } from "effect"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Installation, Log, type Row } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"
import type { Machine, Process } from "./Machine.ts"
import type { Weather } from "./Weather.ts"

/** Puts a commit into effect, or says why not. */
export type Apply = (commit: Store.Commit) => Exit.Exit<Store.Committed, Store.StoreError>

/** What the disk tells of. */
export interface Watcher {
  /** A commit was taken. */
  readonly taken: (process: Process, commit: Store.Commit, committed: Store.Committed) => void
  /** A kind of fault happened. */
  readonly fault: (kind: string) => void
}

/** The database. */
export class Disk {
  readonly space = Transition.workspace()
  readonly store: Store.Store["Service"]
  readonly log: Log.Log["Service"]
  readonly #machine: Machine
  readonly #weather: () => Weather
  readonly #watcher: Watcher
  readonly #apply: Apply
  /** Commits that wait for the one before them, by root. */
  readonly #waiting = new Map<string, Array<() => void>>()
  #at = 0

  constructor(machine: Machine, weather: () => Weather, watcher: Watcher, broken: (disk: Disk, apply: Apply) => Apply) {
    this.#machine = machine
    this.#weather = weather
    this.#watcher = watcher
    const built = Effect.runSync(
      Effect.scoped(Layer.build(MemoryStore.layerOver(this.space).pipe(Layer.provide(NodeDigest.layer))))
    )
    this.store = Context.get(built, Store.Store)
    this.log = Context.get(built, Log.Log)
    const clock = Context.make(Clock.Clock, fixed(() => this.#at))
    this.#apply = broken(this, (commit) => Effect.runSyncExitWith(clock)(this.store.commit(commit)))
  }

  /** The sessions, as they are. */
  get sessions(): ReadonlyArray<Log.Summary> {
    return [...this.space.sessions.values()]
  }

  /** The rows of a session, as they are. */
  rows(session: string): ReadonlyArray<Row.Row> {
    return Effect.runSync(Effect.orDie(this.log.rows(Claims.SessionId.make(session))))
  }

  /** What a process sees of it. */
  of(process: Process): Layer.Layer<Store.Store | Log.Log> {
    const unanswered = () => unavailable("the database did not answer", false)
    const unread = () => new Log.LogError({ detail: "the database did not answer", remedy })
    return Layer.mergeAll(
      Layer.succeed(Store.Store, {
        ...looking(this.store, (name, look) => this.#look(process, name, look, unanswered)),
        commit: (commit) => this.#commit(process, commit)
      }),
      Layer.succeed(Log.Log, looking(this.log, (name, look) => this.#look(process, name, look, unread)))
    )
  }

  /** Looks when the question arrives, and answers what was true then. */
  #look<A, E>(process: Process, name: string, look: Effect.Effect<A, E>, fault: () => E): Effect.Effect<A, E> {
    const asked = Effect.callback<A, E>((resume) => {
      const { latencyMs, unread } = this.#weather()
      const fails = this.#machine.dice.happens(unread)
      this.#machine.after(this.#machine.dice.between(0, latencyMs), () => {
        if (fails) this.#watcher.fault("look refused")
        const exit = fails ? Exit.fail(fault()) : Effect.runSyncExit(look)
        this.#machine.after(this.#machine.dice.between(0, latencyMs), () => process.post(() => resume(exit)))
      })
    })
    return Effect.andThen(process.boundary(`before ${name}`), asked)
  }

  #commit(process: Process, commit: Store.Commit): Effect.Effect<Store.Committed, Store.StoreError> {
    const asked = Effect.callback<Store.Committed, Store.StoreError>((resume) => {
      const sentAt = process.clock()
      const { fate, onTheWayMs } = this.#fate()
      if (fate !== undefined) this.#watcher.fault(`commit ${fate}`)
      const take = () => {
        this.#at = this.#machine.dice.happens(0.5) ? sentAt : process.clock()
        const exit = this.#apply(commit)
        this.#machine.say(`${process.name} ${told(commit)} ${toldExit(exit)}`)
        if (Exit.isSuccess(exit)) this.#watcher.taken(process, commit, exit.value)
        return exit
      }
      const answer = (exit: Exit.Exit<Store.Committed, Store.StoreError>) => {
        const backMs = this.#machine.dice.between(0, this.#weather().latencyMs)
        this.#machine.after(backMs, () => process.post(() => resume(exit)))
      }
      this.#machine.after(onTheWayMs, () => {
        const lost = Exit.fail(unavailable(`the commit was ${fate}`, fate !== "refused"))
        if (fate === "refused" || fate === "request lost") return answer(lost)
        this.#inTurn(commit, (done) => {
          if (fate !== "late") {
            const exit = take()
            done()
            return answer(fate === "answer lost" ? lost : exit)
          }
          answer(lost)
          this.#machine.after(this.#machine.dice.between(1, 5000), () => {
            take()
            done()
          })
        })
      })
    })
    return process.boundary(`before ${commit._tag}`).pipe(
      Effect.andThen(asked),
      Effect.onExit(() => process.boundary(`after ${commit._tag}`))
    )
  }

  /** A commit holds the tree that it is about until it is done; others of that tree wait. */
  #inTurn(commit: Store.Commit, hold: (done: () => void) => void): void {
    const root = Transition.rootOf(sessionOf(commit))
    const waiting = this.#waiting.get(root) ?? []
    this.#waiting.set(root, waiting)
    waiting.push(() =>
      hold(() => {
        waiting.shift()
        const [next] = waiting
        if (next === undefined) this.#waiting.delete(root)
        else next()
      })
    )
    if (waiting.length === 1) waiting[0]?.()
  }

  #fate(): { readonly fate: Fate | undefined; readonly onTheWayMs: number } {
    const { dice } = this.#machine
    const weather = this.#weather()
    const fate = dice.happens(weather.refused)
      ? "refused"
      : dice.happens(weather.answerLost)
      ? "answer lost"
      : dice.happens(weather.requestLost)
      ? "request lost"
      : dice.happens(weather.late)
      ? "late"
      : dice.happens(weather.slow)
      ? "slow"
      : undefined
    return { fate, onTheWayMs: dice.between(0, fate === "slow" ? 8000 : weather.latencyMs) }
  }
}

// internal

type Look = Effect.Effect<unknown, Store.StoreError | Log.LogError>

/** The service with a way to go before each of its answers: members are effects, or functions that give some. */
const looking = <S extends object>(service: S, over: (name: string, look: Look) => Look): S => {
  type Member = Look | ((...args: ReadonlyArray<unknown>) => Look)
  const members = Object.entries(service as Readonly<Record<string, Member>>)
  return Object.fromEntries(members.map(([name, member]) => [
    name,
    typeof member === "function" ? (...args: ReadonlyArray<unknown>) => over(name, member(...args)) : over(name, member)
  ])) as S
}

type Fate = "refused" | "answer lost" | "request lost" | "late" | "slow"

const remedy = "ask again"

const unavailable = (detail: string, maybe: boolean) =>
  new Store.StoreError({ reason: new Store.Unavailable({ detail, remedy, maybe }) })

const sessionOf = (commit: Store.Commit): Store.Claim["session"] => {
  switch (commit._tag) {
    case "Open":
      return commit.session.id
    case "MakeRule":
    case "ApproveRule":
    case "RevokeRule":
      return Installation.id
    default:
      return commit.session
  }
}

const told = (commit: Store.Commit): string => {
  switch (commit._tag) {
    case "Open":
      return `Open ${commit.session.id}`
    case "Decide":
      return `Decide ${commit.ticket} ${commit.vote.approve ? "yes" : "no"} by ${commit.vote.by}`
    case "Control":
      return `${commit.action} ${commit.session}`
    case "Begin":
      return `Begin ${commit.session} ${commit.key} in ${commit.epoch}`
    case "Finish":
      return `Finish ${commit.session} ${commit.key} in ${commit.epoch}`
    case "Append":
      return `Append ${commit.row.body.kind} ${commit.session} in ${commit.epoch}`
    default:
      return `${commit._tag} ${sessionOf(commit)}`
  }
}

const toldExit = (exit: Exit.Exit<Store.Committed, Store.StoreError>): string => {
  if (Exit.isSuccess(exit)) return `#${exit.value.row.seq} ${exit.value.row.hash.slice(0, 8)}`
  const [reason] = exit.cause.reasons
  return reason?._tag === "Fail" && reason.error.reason._tag === "Rejected"
    ? `rejected: ${reason.error.reason.why}, ${reason.error.reason.detail}`
    : `broke: ${String(reason)}`
}

const fixed = (now: () => number): Clock.Clock => {
  const nanos = () => BigInt(now()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: () => Effect.void
  }
}
