/** Schedules over any store, with a launcher that does as it is told: what it accepted is all that was started. */
import { Effect, Layer, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { NodeDigest } from "../../layers/node/index.ts"
import { Digest, type Log } from "../../src/audit/index.ts"
import { Claims, defaultTerms } from "../../src/capability/index.ts"
import { Governor, type Store } from "../../src/governor/index.ts"
import { BadInput, failWith, NoSuchActor, Unrecorded } from "../../src/session/Ended.ts"
import { DeadLetters, type Dispatch, Launcher, Schedule, Schedules, type When } from "../../src/session/index.ts"
import { Flow } from "../../src/trust/index.ts"

/** A world of sessions that nobody runs. */
export interface Stage {
  readonly launcher: Launcher.Launcher["Service"]
  /** Every session that was accepted, in order; each once. */
  readonly opened: Array<Dispatch.Opening>
  readonly cancelled: Array<string>
  readonly woken: Array<string>
  /** How a session stands; `running` unless it is here. */
  readonly statuses: Map<string, Log.Status>
  /** Classes that are known. */
  readonly actors: Set<string>
  /** Called at each `open`, before it or after it was accepted: what fails or dies here is a crash. */
  at: (when: "before" | "after", order: Dispatch.Opening) => Effect.Effect<void>
  /** Whether the log answers. */
  isUp: boolean
}

export const stage = (): Stage => {
  const opened: Stage["opened"] = []
  const cancelled: Array<string> = []
  const woken: Array<string> = []
  const statuses: Stage["statuses"] = new Map()
  const actors = new Set(["Walker"])
  const isOpened = (id: string) => opened.some(({ session }) => session === id)
  const check = ({ actor, input }: Pick<Dispatch.Opening, "actor" | "input">) =>
    Effect.suspend(() => {
      if (!actors.has(actor)) return Effect.fail(failWith(new NoSuchActor({ actor, known: [...actors] })))
      return typeof input === "string" ? Effect.void : Effect.fail(failWith(new BadInput({ detail: "no text" })))
    })
  const self: Stage = {
    opened,
    cancelled,
    woken,
    statuses,
    actors,
    at: () => Effect.void,
    isUp: true,
    launcher: {
      check,
      open: (order) =>
        Effect.gen(function*() {
          yield* self.at("before", order)
          if (!self.isUp) return yield* failWith(new Unrecorded({ detail: "the log is away", remedy: "wait" }))
          yield* check(order)
          const isNew = !isOpened(order.session)
          if (isNew) opened.push(order)
          yield* self.at("after", order)
          return isNew
        }),
      status: (id) => Effect.sync(() => isOpened(id) ? Option.some(statuses.get(id) ?? "running") : Option.none()),
      cancel: ({ session }) => Effect.sync(() => void (cancelled.push(session), statuses.set(session, "cancelled"))),
      wake: ({ session }) => Effect.sync(() => void woken.push(session))
    }
  }
  return self
}

/** No act is governed here; the mode is all that is asked for. */
const governor = Layer.succeed(Governor, {
  mode: "enforced",
  labels: Flow.standard,
  policy: Digest.zero,
  act: () => Effect.die("no act"),
  watch: () => Effect.void,
  sleep: () => Effect.void
})

/** The desks of one process over `store`, and what they started. */
export const desks = <E, R>(on: Stage, store: Layer.Layer<Store.Store | Log.Log, E, R>) =>
  Layer.mergeAll(Schedules.layer, DeadLetters.layer).pipe(
    Layer.provide(Layer.succeed(Launcher.Launcher, on.launcher)),
    Layer.provide(governor),
    Layer.provideMerge(store),
    Layer.provideMerge(NodeDigest.layer),
    Layer.provideMerge(SecureRandom.layerWebCrypto)
  )

/** One more process over the same store. */
export const another = (on: Stage) =>
  Layer.build(
    Schedules.layer.pipe(
      Layer.provide(Layer.succeed(Launcher.Launcher, on.launcher)),
      Layer.provide(governor),
      Layer.provide(NodeDigest.layer),
      Layer.provide(SecureRandom.layerWebCrypto)
    )
  )

let names = 0
/** What a test does not care about filled in; a name of its own. */
export const definition = (when: When.When, parts: Partial<Schedule.Definition> = {}): Schedule.Definition => ({
  name: Schedule.Name.make(`schedule-${++names}`),
  actor: "Walker",
  input: "a",
  grant: { capabilities: ["tool:step"], ...defaultTerms },
  caller: "ada",
  when,
  overlap: "skip",
  catchUp: "none",
  jitterMs: 0,
  ...parts
})

export const cron = (expression: string, zone = "UTC"): When.When => ({
  kind: "cron",
  expression,
  zone,
  repeated: "earlier"
})
export const at = (...[first, ...rest]: [number, ...Array<number>]): When.When => ({
  kind: "at",
  instants: [first, ...rest]
})

/** The chain that schedules are recorded in. */
export const installation = Claims.SessionId.make("installation")
