/**
 * The machine that a simulation runs on: virtual time, and processes whose fibers take turns on one thread. Nothing waits
 * for real: when no process has anything to do, time jumps to the next thing that is due. Each process has a clock of its
 * own, which may be wrong. Instants are epoch milliseconds.
 *
 * A process that is killed does not unwind: what it was about to do is dropped, its finalizers with it. One that is frozen
 * keeps all it has, and goes on when it is woken, with everything that became due meanwhile.
 */
import { Clock, ConfigProvider, Context, Duration, Effect, type Fiber, Logger, Scheduler } from "effect"
import type { Dice } from "./Dice.ts"

/** When every simulation begins. */
export const epoch = 1_800_000_000_000

/** What becomes of a process at one of its boundaries. */
export type Fate = "goes on" | "dies" | "freezes"

/** Something that is due at an instant. */
interface Due {
  readonly at: number
  /** Decides among things that are due at the same instant. */
  readonly tie: number
  readonly run: () => void
}

/** Virtual time, and whoever lives in it. */
export class Machine {
  now = epoch
  /** What happened, line by line. */
  readonly trace: Array<string> = []
  readonly dice: Dice
  readonly #due: Array<Due> = []
  readonly #ready: Array<Process> = []

  constructor(dice: Dice) {
    this.dice = dice
  }

  /** Says what happened. */
  say(what: string): void {
    this.trace.push(`${this.now - epoch} ${what}`)
  }

  /** Does something `ms` milliseconds from now. */
  after(ms: number, run: () => void): void {
    push(this.#due, { at: this.now + Math.max(0, ms), tie: this.dice.next(), run })
  }

  /** Runs until `until` says so; `false` when that takes more than `steps`, or nothing is left to do. */
  drive(until: () => boolean, steps: number): boolean {
    for (let step = 0; step < steps; step++) {
      if (this.#ready.length > 0) {
        this.dice.pick(this.#ready).step()
        continue
      }
      // Whether it is time to stop is asked when all processes wait: between two instants.
      if (until()) return true
      const next = pop(this.#due)
      if (next === undefined) return false
      this.now = Math.max(this.now, next.at)
      next.run()
    }
    return false
  }

  /** For processes alone: whether it has something to do now. */
  mark(process: Process, isReady: boolean): void {
    const index = this.#ready.indexOf(process)
    if (isReady && index < 0) this.#ready.push(process)
    if (!isReady && index >= 0) this.#ready.splice(index, 1)
  }
}

/** One process of the machine. */
export class Process {
  readonly name: string
  readonly machine: Machine
  /** By how much its clock is ahead. */
  skewMs: number
  /** What its fibers start with. */
  readonly context: Context.Context<never>
  /** Asked at each boundary. */
  readonly fateAt: (process: Process, boundary: string) => Fate
  /** Told when it died. */
  onDeath: () => void = () => {}
  /** Told when it was frozen. */
  onFreeze: () => void = () => {}
  #state: "runs" | "frozen" | "dead" = "runs"
  readonly #tasks: Array<() => void> = []

  constructor(name: string, machine: Machine, options: {
    readonly skewMs: number
    readonly fateAt: (process: Process, boundary: string) => Fate
    /** Operations that a fiber does before another one of this process has its turn. */
    readonly quantum: number
  }) {
    this.name = name
    this.machine = machine
    this.skewMs = options.skewMs
    this.fateAt = options.fateAt
    const dispatcher: Scheduler.SchedulerDispatcher = { scheduleTask: (task) => this.post(task), flush: () => {} }
    this.context = Context.make(Scheduler.Scheduler, {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= options.quantum,
      makeDispatcher: () => dispatcher
    }).pipe(
      Context.add(Clock.Clock, clockOf(this)),
      Context.add(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({})),
      Context.add(Logger.CurrentLoggers, new Set())
    )
  }

  get state(): "runs" | "frozen" | "dead" {
    return this.#state
  }

  /** What its clock says. */
  clock(): number {
    return this.machine.now + this.skewMs
  }

  /** Has it do something at its next turn. A dead process never has one. */
  post(task: () => void): void {
    if (this.#state === "dead") return
    this.#tasks.push(task)
    if (this.#state === "runs") this.machine.mark(this, true)
  }

  /** Does the next thing. */
  step(): void {
    const task = this.#tasks.shift()
    if (this.#tasks.length === 0) this.machine.mark(this, false)
    task?.()
  }

  /** Starts a fiber, at the next turn. */
  fork<A, E, R>(
    effect: Effect.Effect<A, E, R>,
    context: Context.Context<R>,
    onStart: (fiber: Fiber.Fiber<A, E>) => void = () => {}
  ): void {
    this.post(() => onStart(Effect.runForkWith(Context.merge(this.context, context))(effect)))
  }

  /** `kill -9`. */
  kill(): void {
    if (this.#state === "dead") return
    this.#state = "dead"
    this.#tasks.length = 0
    this.machine.mark(this, false)
    this.onDeath()
  }

  /** SIGSTOP. */
  freeze(): void {
    if (this.#state !== "runs") return
    this.#state = "frozen"
    this.machine.mark(this, false)
    this.onFreeze()
  }

  /** SIGCONT. */
  wake(): void {
    if (this.#state !== "frozen") return
    this.#state = "runs"
    if (this.#tasks.length > 0) this.machine.mark(this, true)
  }

  /**
   * A place where the process may die or freeze: every way in and out of it is one. What a dead process would do next
   * never happens, whichever of its fibers gets here; what a frozen one would, happens when it is woken.
   */
  boundary(name: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#state === "runs") {
        const fate = this.fateAt(this, name)
        if (fate === "goes on") return Effect.void
        this.machine.say(`${this.name} ${fate} ${name}`)
        if (fate === "dies") this.kill()
        else this.freeze()
      }
      return this.#state === "dead" ? Effect.never : this.turn
    })
  }

  /** Waits for the next turn. */
  readonly turn: Effect.Effect<void> = Effect.callback((resume) => this.post(() => resume(Effect.void)))
}

// internal

const clockOf = (process: Process): Clock.Clock => {
  const nanos = () => BigInt(process.clock()) * 1_000_000n
  const monotonic = () => BigInt(process.machine.now) * 1_000_000n
  return {
    currentTimeMillisUnsafe: () => process.clock(),
    currentTimeMillis: Effect.sync(() => process.clock()),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: monotonic,
    monotonicTimeNanos: Effect.sync(monotonic),
    sleep: (duration) => {
      const ms = Duration.toMillis(duration)
      if (!Number.isFinite(ms)) return Effect.never
      return Effect.callback((resume) => process.machine.after(ms, () => process.post(() => resume(Effect.void))))
    }
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie)

/** A binary heap, the first due on top. */
const push = (heap: Array<Due>, due: Due): void => {
  let index = heap.length
  heap.push(due)
  while (index > 0) {
    const above = (index - 1) >> 1
    const parent = heap[above]
    if (parent === undefined || !isBefore(due, parent)) break
    heap[index] = parent
    heap[above] = due
    index = above
  }
}

const pop = (heap: Array<Due>): Due | undefined => {
  const [first] = heap
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let index = 0
  for (;;) {
    const left = 2 * index + 1
    const right = heap[left + 1]
    const child = right !== undefined && isBefore(right, heap[left] ?? right) ? left + 1 : left
    const below = heap[child]
    if (below === undefined || !isBefore(below, last)) break
    heap[index] = below
    index = child
  }
  heap[index] = last
  return first
}
