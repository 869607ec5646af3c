/** An actor that is started by a schedule, breaks down once, and is run again after a pause. */
import { Actor, defaultTerms, DeterministicActor, Log, Schedule, Schedules, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const ReadFeed = Tool.make("read_feed", {
  description: "Reads a feed",
  capabilities: ["tool:read_feed"],
  params: Schema.String,
  success: Schema.String
})
const Feed = DeterministicActor.make("Feed", {
  description: "Reads the feed",
  input: Schema.String,
  output: Schema.String,
  tools: [ReadFeed],
  supervision: { backoffMs: 200, on: ["defect", "handler_broken", "actor_error"] },
  run: (url) => Tool.call(ReadFeed, url)
})

let reads = 0
const reading = Tool.layer(
  ReadFeed,
  (url) => reads++ === 0 ? Effect.die(new Error("the line is down")) : Effect.succeed(`news of ${url}`)
)
const app = Schedules.layerSweep.pipe(
  // After the actors: what is due is started as soon as somebody looks.
  Layer.provideMerge(Actor.layer(Feed)),
  Layer.provide(reading),
  Layer.provideMerge(Memory.layer())
)

const program = Effect.gen(function*() {
  const schedules = yield* Schedules.Schedules
  const log = yield* Log.Log
  yield* schedules.add({
    name: Schedule.Name.make("news"),
    actor: "Feed",
    input: "example.com",
    grant: { capabilities: ["tool:read_feed"], ...defaultTerms },
    caller: "desk",
    when: { kind: "cron", expression: "* * * * * *", zone: "Europe/Berlin", repeated: "earlier" },
    overlap: "skip",
    catchUp: "last",
    jitterMs: 0
  }, "ada")
  const succeeded = Effect.map(
    schedules.history("news", 10),
    (views) => views.findLast(({ status }) => status === "succeeded")
  )
  let view = yield* succeeded
  while (view === undefined) {
    yield* Effect.sleep("100 millis")
    view = yield* succeeded
  }
  yield* schedules.remove({ schedule: "news", by: "ada" })

  for (const { body } of yield* log.rows(view.firing.session)) {
    if (body.kind === "outcome") console.log(`${body.act} ${body.status}`)
    if (body.kind === "restarted") console.log(`restart ${body.restart}: ${body.reason}`)
    if (body.kind === "ended") console.log(body.status)
  }
})

await Effect.runPromise(Effect.provide(program, app))
