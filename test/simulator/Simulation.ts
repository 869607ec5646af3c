/**
 * One seed, from the first session to the last: some runners over one disk and one network, clients and operators, and
 * whatever the weather brings. At some point it clears up, and everything has to come to rest. Then it is judged.
 */
import { Effect, Exit, Layer, Scope } from "effect"
import { digest } from "../../layers/node/Digest.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { governed } from "../../layers/presets/Core.ts"
import type { Policy } from "../../src/approval/index.ts"
import type { Row } from "../../src/audit/index.ts"
import { Transition } from "../../src/governor/index.ts"
import { CurrentCeilings } from "../../src/session/Dispatch.ts"
import { type Dispatch, Mailbox } from "../../src/session/index.ts"
import { Dice } from "./Dice.ts"
import { type Apply, Disk } from "./Disk.ts"
import * as Keys from "./Keys.ts"
import { Ledger } from "./Ledger.ts"
import { type Fate, Machine, Process } from "./Machine.ts"
import { Network, Runner } from "./Network.ts"
import * as Habits from "./Operators.ts"
import * as Shop from "./Shop.ts"
import { verdict } from "./Verdict.ts"
import { Watch } from "./Watch.ts"
import * as Weather from "./Weather.ts"

/** What came of a seed. */
export interface Outcome {
  readonly seed: number
  /** What must not be, and was; nothing, if all is well. */
  readonly findings: ReadonlyArray<string>
  /** Of everything that happened, in order. */
  readonly hash: string
  readonly trace: ReadonlyArray<string>
  readonly figures: Figures
}

/** Counts, by name. */
export type Figures = Readonly<Record<string, number>>

/** What may be different from an ordinary run. */
export interface Options {
  /** Breaks the store on purpose. */
  readonly broken?: ((disk: Disk, machine: Machine, apply: Apply) => Apply) | undefined
  /** Whether to stop as soon as something is found. */
  readonly isHasty?: boolean | undefined
}

/** Runs one seed. */
export const simulate = (seed: number, options: Options = {}): Outcome => new Simulation(seed, options).run()

// internal

/** Runners that are meant to be up. */
const mostRunners = 3
/** How long a runner that does not answer keeps its shards. */
const leaseMs = 3500
/** How long everything may take to come to rest. */
const patienceMs = 1_800_000
const maxSteps = 3_000_000
/** Boundaries around what cannot be undone. */
const forGood: ReadonlySet<string> = new Set([...Shop.irreversible].flatMap((tool) => [`at ${tool}`, `after ${tool}`]))

/** A row, as it is counted. */
const told = (body: Row.Body): string => {
  switch (body.kind) {
    case "outcome":
      return `rows outcome ${body.status}`
    case "refusal":
      return `rows refusal by ${body.layer}`
    case "decided":
      return `rows ${body.decision}`
    case "settled":
      return `rows settled as ${body.choice} by ${body.from}`
    case "noted":
      return `rows noted ${body.what}`
    default:
      return `rows ${body.kind}`
  }
}

class Simulation {
  readonly #seed: number
  readonly #dice: Dice
  readonly #machine: Machine
  readonly #disk: Disk
  readonly #network: Network
  readonly #watch = new Watch()
  readonly #ledger: Ledger
  readonly #operators: Habits.Operators
  readonly #policy: Partial<Policy.Policy>
  readonly #ceilings: { readonly caller: number; readonly class: number }
  readonly #lifetimeSeconds: number
  readonly #healsAt: number
  readonly #isUntimely: boolean
  readonly #isHasty: boolean
  readonly #counts = new Map<string, number>()
  #weather: Weather.Weather
  #started = 0
  #restedAt = 0

  constructor(seed: number, { broken = (_disk, _machine, apply) => apply, isHasty = false }: Options) {
    this.#seed = seed
    this.#isHasty = isHasty
    const dice = new Dice(seed)
    this.#dice = dice
    this.#machine = new Machine(dice)
    this.#weather = Weather.drawn(dice)
    const weather = () => this.#weather
    const fault = (kind: string) => this.#count(kind)
    this.#disk = new Disk(this.#machine, weather, {
      fault,
      taken: (process, commit, committed) => {
        this.#count("commits")
        this.#watch.taken(this.#disk, process, commit, committed)
      }
    }, (disk, apply) => broken(disk, this.#machine, apply))
    this.#network = new Network(this.#machine, weather, fault)
    this.#ledger = new Ledger((entry) => {
      this.#count(`did ${entry.tool}`)
      this.#watch.written(this.#disk, entry)
    })
    this.#operators = new Habits.Operators({
      machine: this.#machine,
      network: this.#network,
      disk: this.#disk,
      ledger: this.#ledger,
      watch: this.#watch,
      habits: Habits.drawn(dice)
    })
    this.#policy = {
      approvers: dice.pick([1, 1, 1, 2]),
      lifetimeMs: dice.pick([86_400_000, 86_400_000, 86_400_000, 20_000]),
      maxPending: dice.pick([20, 20, 2])
    }
    this.#ceilings = { caller: dice.pick([100_000, 300, 100]), class: dice.pick([100_000, 300, 100]) }
    this.#lifetimeSeconds = dice.pick([90_000, 90_000, 90_000, 30])
    this.#isUntimely = this.#weather.skewMs > 5000 || this.#lifetimeSeconds < 3600
    this.#healsAt = this.#machine.now + dice.between(30, 90) * 1000
  }

  run(): Outcome {
    const machine = this.#machine
    machine.say(`weather ${JSON.stringify(this.#weather)}`)
    const runners = this.#dice.between(2, mostRunners)
    for (let count = 0; count < runners; count++) this.#startRunner()
    this.#openSessions()
    this.#eachSecond()
    this.#operatorsTurn()
    let next = 0
    const isOver = () => {
      if (this.#isHasty && this.#watch.findings.length > 0) return true
      if (machine.now < this.#healsAt || machine.now < next) return false
      next = machine.now + 1000
      return machine.now > this.#healsAt + patienceMs || this.#restless().length === 0
    }
    if (!machine.drive(isOver, maxSteps)) this.#watch.find("it went on and on, or stopped in the middle")
    this.#restedAt = machine.now
    for (const what of this.#restless()) this.#watch.find(what)
    const { opened } = this.#watch
    const isUntimely = this.#isUntimely
    for (const what of verdict({ disk: this.#disk, ledger: this.#ledger, opened, isUntimely })) this.#watch.find(what)
    for (const what of this.#watch.forgotten(this.#disk)) this.#watch.find(what)
    this.#judgeTold()
    return {
      seed: this.#seed,
      findings: this.#watch.findings,
      hash: digest.sha256(machine.trace.join("\n")),
      trace: machine.trace,
      figures: this.#figures()
    }
  }

  // --- who is there ----------------------------------------------------------

  #startRunner(): void {
    const { skewMs } = this.#weather
    const process = new Process(`r${++this.#started}`, this.#machine, {
      skewMs: this.#dice.between(-skewMs, skewMs),
      quantum: this.#dice.pick([30, 200, 2048]),
      fateAt: (_process, boundary) => this.#fate(boundary)
    })
    this.#machine.say(`${process.name} starts, ${process.skewMs} ms ahead`)
    const mailbox = Layer.succeed(Mailbox.Mailbox, this.#network.of(process))
    const weather = () => this.#weather
    const runtime = Shop.registered({ process, ledger: this.#ledger, weather }).pipe(
      Layer.provideMerge(governed(mailbox, this.#policy)),
      Layer.provide(Layer.succeed(CurrentCeilings, this.#ceilings)),
      Layer.provideMerge(
        Layer.mergeAll(this.#disk.of(process), Keys.tokens, Keys.random(this.#dice), NodeDigest.layer)
      ),
      Layer.orDie
    )
    // What is left of a process that died is never closed.
    const built = Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(runtime, scope))
    const up = Effect.map(built, (context) => {
      const runner = new Runner(process, context)
      process.onDeath = () => this.#died(runner)
      process.onFreeze = () => this.#froze(runner)
      this.#network.join(runner)
    })
    process.fork(up, process.context)
  }

  /** The worst moment is more likely than any other: when something has happened that cannot be undone. */
  #fate(boundary: string): Fate {
    const times = forGood.has(boundary) ? 10 : 1
    if (this.#dice.happens(this.#weather.dies * times)) return "dies"
    return this.#dice.happens(this.#weather.freezes * times) ? "freezes" : "goes on"
  }

  #died(runner: Runner): void {
    this.#count("killed")
    this.#network.miss(runner, leaseMs)
    this.#machine.after(this.#dice.between(100, this.#weather.awayMs), () => this.#startRunner())
  }

  #froze(runner: Runner): void {
    this.#count("frozen")
    this.#network.miss(runner, leaseMs)
    const asleepMs = this.#dice.between(100, this.#weather.asleepMs)
    this.#machine.after(asleepMs, () => {
      this.#machine.say(`${runner.process.name} wakes`)
      runner.process.wake()
      this.#network.returned(runner)
    })
  }

  #openSessions(): void {
    const count = this.#dice.between(3, 9)
    for (let index = 0; index < count; index++) {
      const actor = this.#dice.pick(Shop.actors)
      const budget = this.#dice.pick([1_000_000, 1_000_000, 60, 20])
      const caller = this.#dice.pick(["cora", "dan"])
      this.#machine.after(
        this.#dice.between(0, 30_000),
        () => this.#operators.open(actor, `o${index}`, Shop.grantOf(budget, this.#lifetimeSeconds), caller)
      )
    }
  }

  // --- what happens by itself ------------------------------------------------

  #eachSecond(): void {
    if (this.#machine.now >= this.#healsAt) return this.#heal()
    const weather = this.#weather
    if (this.#dice.happens(weather.split)) this.#network.split()
    if (this.#dice.happens(weather.moved)) this.#network.move()
    const { runners } = this.#network
    if (runners.length > 0 && this.#dice.happens(weather.clockSet)) {
      const { process } = this.#dice.pick(runners)
      process.skewMs = this.#dice.between(-weather.skewMs, weather.skewMs)
      this.#count("clock set")
      this.#machine.say(`${process.name} has its clock set to ${process.skewMs} ms ahead`)
    }
    this.#machine.after(1000, () => this.#eachSecond())
  }

  /** It clears up: clocks go right, the frozen wake in time, nobody dies any more. */
  #heal(): void {
    this.#machine.say("it clears up")
    this.#weather = Weather.calm
    for (const { process } of this.#network.runners) process.skewMs = 0
    const settle = () => {
      for (const { process } of this.#network.runners) process.skewMs = 0
      this.#operators.finish()
      this.#machine.after(2000, settle)
    }
    settle()
  }

  #operatorsTurn(): void {
    if (this.#machine.now >= this.#healsAt) return
    this.#operators.turn()
    this.#machine.after(this.#dice.between(100, 2500), () => this.#operatorsTurn())
  }

  // --- at the end ------------------------------------------------------------

  /** What has not come to rest, and on what it waits. */
  #restless(): ReadonlyArray<string> {
    const open = this.#network.open.map((id) => `nobody answered the message ${id}`)
    const sessions = this.#disk.sessions.flatMap(({ id, status }) => {
      if (Transition.isOver(status) || status === "standing") return []
      const last = this.#disk.rows(id).findLast(({ body }) =>
        ["suspended", "sleeping", "restarted", "escalated"].includes(body.kind)
      )
      if (status === "waiting" && last?.body.kind === "suspended" && last.body.unknown !== undefined) {
        return this.#operators.isLeft(last.body.unknown) ? [] : [`${id} waits for what became of ${last.body.unknown}`]
      }
      if (status === "waiting" && last?.body.kind === "suspended") {
        const ticket = this.#disk.space.tickets.get(last.body.ticket ?? "")
        if (ticket?.state === "proposed" && this.#operators.isLeft(ticket.id)) return []
        return [`${id} waits for ticket ${last.body.ticket}, which is ${ticket?.state}`]
      }
      return [`${id} is ${status}, and its last word was ${last?.body.kind}`]
    })
    const wakes = [...this.#disk.space.wakes.values()].filter(({ due }) => due <= this.#machine.now).map(
      ({ reason, session }) => `${session} is still to be woken for ${reason}`
    )
    return [...open, ...sessions, ...wakes]
  }

  /** Whether clients were told what is true. */
  #judgeTold(): void {
    for (const { actor, exit } of this.#operators.told) {
      if (Exit.isFailure(exit)) continue
      const ended: Dispatch.Ended<unknown> = exit.value
      const session = this.#disk.space.sessions.get(ended.session)
      const isSame = ended._tag === "Succeeded"
        ? session?.status === "succeeded" && session.result === digest.sha256(digest.canonical(ended.output as never))
        : ended._tag === "Cancelled"
        ? session?.status === "cancelled"
        : ended._tag === "Failed"
        ? session?.status === "failed" || session?.status === "abandoned"
        : session !== undefined
      if (!isSame) {
        this.#watch.find(`a client of ${actor} was told ${ended._tag}, and its session is ${session?.status}`)
      }
    }
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  #figures(): Figures {
    const sessions = this.#disk.sessions
    for (const { id, status } of sessions) {
      this.#count(`sessions ${status}`)
      for (const { body } of this.#disk.rows(id)) this.#count(told(body))
    }
    return {
      sessions: sessions.length,
      effects: this.#ledger.entries.length,
      "seconds to rest": Math.round((this.#restedAt - this.#healsAt) / 1000),
      ...Object.fromEntries([...this.#counts].toSorted(([a], [b]) => a < b ? -1 : 1))
    }
  }
}
