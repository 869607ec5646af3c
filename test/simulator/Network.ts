/**
 * The mail of a simulation: messages to sessions that outlive every process, and who handles them. It stands for a
 * cluster with persisted messages: each session belongs to a shard, each shard to a runner, one message of a session is
 * handled at a time; whoever does not answer for as long as a lease lasts loses its shards, and what it had under way is
 * handled again by another. The same reason for the same session is one message for as long as its answer is kept.
 *
 * Nothing more is promised: a message may be handled late, twice, out of order, and by two runners at once.
 */
import { Cause, type Context, Effect, Exit, type Fiber } from "effect"
import type { Log } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import { type DispatchError, failWith, Unrecorded } from "../../src/session/Ended.ts"
import type { Approvals, Dispatch, Rules, Unknowns } from "../../src/session/index.ts"
import { Cluster, type Mailbox, Runs } from "../../src/session/index.ts"
import { sweep } from "../../src/session/Sweep.ts"
import type { Machine, Process } from "./Machine.ts"
import type { Weather } from "./Weather.ts"

/** What a runner offers. */
export type Services =
  | Approvals.Approvals
  | Dispatch.Dispatch
  | Log.Log
  | Mailbox.Mailbox
  | Rules.Rules
  | Runs.Runs
  | Store.Store
  | Unknowns.Unknowns

/** A process that runs sessions. */
export class Runner {
  readonly process: Process
  readonly context: Context.Context<Services>
  /** What it handles, by session. */
  readonly handling = new Map<string, Handling>()
  /** The sweep, if it is here. */
  sweeping: Fiber.Fiber<never> | undefined

  constructor(process: Process, context: Context.Context<Services>) {
    this.process = process
    this.context = context
  }
}

interface Handling {
  readonly letter: Letter
  fiber: Fiber.Fiber<void, DispatchError> | undefined
}

/** A message, and what became of it. */
interface Letter {
  readonly id: string
  readonly message: Mailbox.Message
  state: "waits" | "handled" | "answered"
  /** Who answers for it. */
  by: Runner | undefined
  answer: Exit.Exit<void, DispatchError> | undefined
  asking: Array<(answer: Exit.Exit<void, DispatchError>) => void>
}

const shards = 8

/** The mail. */
export class Network {
  readonly #machine: Machine
  readonly #weather: () => Weather
  readonly #fault: (kind: string) => void
  readonly #letters = new Map<string, Letter>()
  readonly #owners: Array<Runner | undefined> = Array.from({ length: shards })
  /** Shards that a second runner believes to have. */
  readonly #seconds: Array<Runner | undefined> = Array.from({ length: shards })
  readonly #runners: Array<Runner> = []
  #sweeper: Runner | undefined

  constructor(machine: Machine, weather: () => Weather, fault: (kind: string) => void) {
    this.#machine = machine
    this.#weather = weather
    this.#fault = fault
  }

  /** Runners that answer. */
  get runners(): ReadonlyArray<Runner> {
    return this.#runners.filter(({ process }) => process.state === "runs")
  }

  /** Messages that nobody has answered. */
  get open(): ReadonlyArray<string> {
    return [...this.#letters.values()].filter(({ state }) => state !== "answered").map(({ id }) => id)
  }

  /** A runner is up: it gets its part of the shards. */
  join(runner: Runner): void {
    if (!this.#runners.includes(runner)) this.#runners.push(runner)
    for (let shard = 0; shard < shards; shard++) {
      if (this.#machine.dice.happens(1 / this.#runners.length)) this.#give(shard, runner)
    }
    this.#adopt(runner)
  }

  /** What nobody has is the runner's. */
  #adopt(runner: Runner): void {
    for (let shard = 0; shard < shards; shard++) this.#owners[shard] ??= runner
    if (this.#sweeper === undefined) this.#sweepAt(runner)
    this.#deliverAll()
  }

  /** A runner answers no more: when its lease is over, the others take its shards, if it has not come back. */
  miss(runner: Runner, leaseMs: number): void {
    this.#machine.after(leaseMs, () => {
      if (runner.process.state === "runs") return
      this.#machine.say(`${runner.process.name} lost its shards`)
      const index = this.#runners.indexOf(runner)
      if (index >= 0) this.#runners.splice(index, 1)
      const rest = this.runners
      for (let shard = 0; shard < shards; shard++) {
        if (this.#seconds[shard] === runner) this.#seconds[shard] = undefined
        if (this.#owners[shard] === runner) {
          this.#owners[shard] = rest.length === 0 ? undefined : this.#machine.dice.pick(rest)
        }
      }
      for (const letter of this.#letters.values()) {
        if (letter.by === runner && letter.state === "handled") this.#giveBack(letter)
      }
      if (this.#sweeper === runner) {
        this.#sweeper = undefined
        if (rest.length > 0) this.#sweepAt(this.#machine.dice.pick(rest))
      }
      this.#deliverAll()
    })
  }

  /** A runner was woken. In time, it notices what was taken from it. */
  returned(runner: Runner): void {
    const isIn = this.#runners.includes(runner)
    if (!this.#machine.dice.happens(this.#weather().unnoticed)) {
      this.#machine.after(this.#machine.dice.between(0, 2000), () => runner.process.post(() => this.#notice(runner)))
    }
    if (isIn) this.#adopt(runner)
    else this.#machine.after(this.#machine.dice.between(100, 3000), () => this.#rejoin(runner))
  }

  /** A shard moves to another runner although the one that had it is well. */
  move(): void {
    const shard = this.#machine.dice.below(shards)
    const others = this.runners.filter((runner) => runner !== this.#owners[shard])
    if (others.length > 0) this.#give(shard, this.#machine.dice.pick(others))
    this.#deliverAll()
  }

  /** Two runners believe for a while to have the same shard, and both go on with what is under way. */
  split(): void {
    const shard = this.#machine.dice.below(shards)
    const owner = this.#owners[shard]
    const others = this.runners.filter((runner) => runner !== owner)
    if (owner === undefined || others.length === 0 || this.#seconds[shard] !== undefined) return
    const second = this.#machine.dice.pick(others)
    this.#fault("split")
    this.#machine.say(`split ${shard}: ${owner.process.name} and ${second.process.name}`)
    this.#seconds[shard] = second
    for (const letter of this.#letters.values()) {
      if (letter.state === "handled" && letter.by === owner && shardOf(letter.message.session) === shard) {
        this.#handle(letter, second)
      }
    }
    this.#machine.after(this.#machine.dice.between(1000, 20_000), () => {
      if (this.#seconds[shard] === second) this.#seconds[shard] = undefined
    })
  }

  /** What a process sends with. */
  of(process: Process): Mailbox.Mailbox["Service"] {
    return {
      ask: (message) => this.#send(process, "ask", message),
      tell: (message) => this.#send(process, "tell", message)
    }
  }

  #send(process: Process, how: "ask" | "tell", message: Mailbox.Message): Effect.Effect<void, DispatchError> {
    const sent = Effect.callback<void, DispatchError>((resume) => {
      const { dice } = this.#machine
      const { latencyMs, sentAndDenied, unsent } = this.#weather()
      const answer = (exit: Exit.Exit<void, DispatchError>) =>
        this.#machine.after(dice.between(0, this.#weather().latencyMs), () => process.post(() => resume(exit)))
      const isUnsent = dice.happens(unsent)
      const isDenied = isUnsent || dice.happens(sentAndDenied)
      if (isDenied) this.#fault(isUnsent ? "message unsent" : "message sent and denied")
      this.#machine.after(dice.between(0, latencyMs), () => {
        const letter = isUnsent ? undefined : this.#post(message)
        if (letter === undefined || isDenied) answer(undelivered)
        else if (how === "tell") answer(Exit.void)
        else if (letter.answer !== undefined) answer(letter.answer)
        else letter.asking.push(answer)
      })
    })
    return process.boundary(`before ${how}`).pipe(
      Effect.andThen(sent),
      Effect.onExit(() => process.boundary(`after ${how}`))
    )
  }

  /** Keeps a message; one that is kept already is the same. */
  #post(message: Mailbox.Message): Letter {
    const id = `${message.session} ${message.reason}`
    const kept = this.#letters.get(id)
    const isForgotten = kept?.state === "answered" && this.#machine.dice.happens(this.#weather().forgotten)
    if (kept !== undefined && !isForgotten) return kept
    if (isForgotten) this.#fault("answer forgotten")
    const letter: Letter = { id, message, state: "waits", by: undefined, answer: undefined, asking: [] }
    this.#letters.set(id, letter)
    this.#hold(letter)
    return letter
  }

  /** Has it handled, now or in a while. */
  #hold(letter: Letter, leastMs = 0): void {
    const isHeld = this.#machine.dice.happens(this.#weather().held)
    if (isHeld) this.#fault("message held")
    const { latencyMs } = this.#weather()
    this.#machine.after(leastMs + this.#machine.dice.between(0, isHeld ? 10_000 : latencyMs), () => {
      if (letter.state === "waits") this.#deliver(letter)
    })
  }

  #deliverAll(): void {
    for (const letter of this.#letters.values()) if (letter.state === "waits") this.#deliver(letter)
  }

  #deliver(letter: Letter): void {
    const shard = shardOf(letter.message.session)
    const free = [this.#owners[shard], this.#seconds[shard]].filter((runner) =>
      runner !== undefined && !runner.handling.has(letter.message.session)
    )
    const runner = free.length === 0 ? undefined : this.#machine.dice.pick(free)
    if (runner === undefined) return
    letter.by = runner
    letter.state = "handled"
    this.#handle(letter, runner)
  }

  #handle(letter: Letter, runner: Runner): void {
    const { process } = runner
    const { session } = letter.message
    if (process.state === "dead" || runner.handling.has(session)) return
    const handling: Handling = { letter, fiber: undefined }
    runner.handling.set(session, handling)
    this.#machine.say(`${process.name} handles ${letter.id}`)
    const run = Effect.flatMap(Runs.Runs, (runs) => Cluster.untilAnswered(runs.run(session)))
    const handled = process.boundary("before run").pipe(
      Effect.andThen(run),
      Effect.onExit(() => process.boundary("after run"))
    )
    process.fork(handled, runner.context, (fiber) => {
      handling.fiber = fiber
      fiber.addObserver((exit) => this.#ended(letter, runner, exit))
    })
  }

  #ended(letter: Letter, runner: Runner, exit: Exit.Exit<void, DispatchError>): void {
    runner.handling.delete(letter.message.session)
    const { dice } = this.#machine
    this.#machine.say(`${runner.process.name} handled ${letter.id}: ${toldExit(exit)}`)
    this.#machine.after(dice.between(0, this.#weather().latencyMs), () => {
      const isOurs = letter.by === runner && letter.state === "handled"
      const isTyped = Exit.isSuccess(exit) || Cause.findErrorOption(exit.cause)._tag === "Some"
      if (isOurs && !isTyped) this.#giveBack(letter)
      else if (isOurs && dice.happens(this.#weather().again)) {
        this.#fault("message handled again")
        this.#giveBack(letter)
      } else if (isOurs) {
        letter.state = "answered"
        letter.answer = exit
        for (const answer of letter.asking.splice(0)) answer(exit)
      }
      // Another message may have waited for its turn.
      this.#deliverAll()
    })
  }

  #giveBack(letter: Letter): void {
    letter.state = "waits"
    letter.by = undefined
    this.#hold(letter, this.#machine.dice.between(0, 1000))
  }

  /** A shard changes hands. Whoever had it stops what it has under way for it, and may be late to do so. */
  #give(shard: number, runner: Runner): void {
    const owner = this.#owners[shard]
    if (owner === runner) return
    this.#machine.say(`shard ${shard} moves to ${runner.process.name}`)
    this.#owners[shard] = runner
    if (owner === undefined) return
    for (const letter of this.#letters.values()) {
      if (letter.by === owner && letter.state === "handled" && shardOf(letter.message.session) === shard) {
        this.#giveBack(letter)
      }
    }
    if (this.#machine.dice.happens(this.#weather().unnoticed)) return
    this.#machine.after(this.#machine.dice.between(0, 500), () => owner.process.post(() => this.#notice(owner)))
  }

  /** Stops whatever the runner handles for shards that it has not. */
  #notice(runner: Runner): void {
    for (const [session, { fiber }] of runner.handling) {
      const shard = shardOf(session)
      if (this.#owners[shard] !== runner && this.#seconds[shard] !== runner) fiber?.interruptUnsafe()
    }
    if (this.#sweeper !== runner) {
      runner.sweeping?.interruptUnsafe()
      runner.sweeping = undefined
    }
  }

  #rejoin(runner: Runner): void {
    if (runner.process.state === "runs") this.join(runner)
  }

  #sweepAt(runner: Runner): void {
    this.#sweeper = runner
    if (runner.sweeping !== undefined) return
    const mailbox = this.of(runner.process)
    runner.process.fork(
      Effect.gen(function*() {
        const parts = { store: yield* Store.Store, runs: yield* Runs.Runs, tell: mailbox.tell, graceMs: 0 }
        return yield* sweep(parts)
      }),
      runner.context,
      (fiber) => {
        runner.sweeping = fiber
      }
    )
  }
}

// internal

const undelivered = Exit.fail(
  failWith(new Unrecorded({ detail: "the message was not delivered", remedy: "resume the session" }))
)

const shardOf = (session: string): number => {
  let hash = 0
  for (let index = 0; index < session.length; index++) hash = (hash * 31 + session.charCodeAt(index)) | 0
  return Math.abs(hash) % shards
}

const toldExit = (exit: Exit.Exit<void, DispatchError>): string => {
  if (Exit.isSuccess(exit)) return "done"
  const [reason] = exit.cause.reasons
  return reason?._tag === "Fail" ? reason.error.message : reason?._tag ?? "nothing"
}
