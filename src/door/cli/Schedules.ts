/** The commands about schedules. */
import { DateTime, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { defaultTerms } from "../../capability/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import { Schedule } from "../../session/index.ts"
import { type About, by, data, json, run } from "./Ask.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import { UsageError } from "./Runtime.ts"

/** Firings that are listed at most. */
const maxHistory = 1000

/** `aosiq schedules`. */
export const schedules = (about: About) =>
  Command.make("schedules").pipe(
    Command.withDescription("Start actors by themselves: at times, and as often as a clock shows them"),
    Command.withSubcommands([
      list,
      add(about),
      control(about, "remove", "Remove it: what it started goes on, what waits is left out"),
      control(about, "pause", "Start nothing until it is resumed; nothing of that time is made up for"),
      control(about, "resume", "Let a paused one go on from now"),
      Command.make("run", { schedule: name, by: by(about), data, json }, (options) =>
        run(
          options,
          (client) => client.schedule_run({ schedule: options.schedule }),
          Print.started
        )).pipe(Command.withDescription("Start it now, by hand; its overlap policy holds all the same")),
      history
    ])
  )

// internal

const name = Argument.String("name").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Schedule, as in `aosiq schedules list`")
)

const list = Command.make(
  "list",
  { data, json },
  (options) => run(options, (client) => client.schedules_list(), Print.schedules)
).pipe(Command.withDescription("List schedules, by what comes next"))

const history = Command.make(
  "history",
  {
    schedule: name,
    limit: Flag.Int("limit").pipe(
      Flag.filter((limit) => limit > 0 && limit <= maxHistory, () => `1 to ${maxHistory}`),
      Flag.withDescription("How many, the latest first (default: 20)"),
      Flag.withDefault(20)
    ),
    data,
    json
  },
  (options) =>
    run(
      options,
      (client) => client.schedule_history({ schedule: options.schedule, limit: options.limit }),
      Print.firings
    )
).pipe(Command.withDescription("What it came to: started, left out, or set aside"))

const control = (about: About, action: "pause" | "resume" | "remove", description: string) =>
  Command.make(action, { schedule: name, by: by(about), data, json }, (options) =>
    run(
      options,
      (client) => client.schedule_control({ schedule: options.schedule, action }),
      (schedule) => `${schedule.name} is ${action === "remove" ? "removed" : `${action}d`}`
    )).pipe(Command.withDescription(description))

const add = (about: About) =>
  Command.make(
    "add",
    {
      name: Argument.String("name").pipe(Argument.withDescription("Letters, digits, - and _")),
      actor: Flag.String("actor").pipe(Flag.withDescription("Class of the actor to start"), Flag.withMetavar("CLASS")),
      input: Given.input,
      cron: Flag.String("cron").pipe(
        Flag.withDescription("Five fields, or six with seconds first"),
        Flag.withMetavar("EXPRESSION"),
        Flag.optional
      ),
      zone: Flag.String("zone").pipe(
        Flag.withDescription("Time zone, as Europe/Berlin (default: UTC)"),
        Flag.withDefault("UTC")
      ),
      repeated: Flag.Literals("repeated", ["earlier", "later", "both"]).pipe(
        Flag.withDescription("Which of two equal local times is meant, when clocks are put back (default: earlier)"),
        Flag.withDefault("earlier")
      ),
      at: Flag.String("at").pipe(
        Flag.withDescription("An instant, as 2026-12-24T18:00 (in --zone) or with an offset; may be repeated"),
        Flag.withMetavar("TIME"),
        Flag.atLeast(0)
      ),
      grant: Flag.String("grant").pipe(
        Flag.withDescription("Capability that it holds; may be repeated"),
        Flag.withMetavar("CAPABILITY"),
        Flag.atLeast(0)
      ),
      budget: Given.usd("budget").pipe(
        Flag.withDescription("Ceiling of each start in US dollars (default: 1)"),
        Flag.withMetavar("USD"),
        Flag.withDefault(MicroUsd.fromUsd(1))
      ),
      lifetime: Flag.String("lifetime").pipe(
        Flag.withDescription("How long each start may take, waits included, as \"2 hours\" (default: \"25 hours\")"),
        Flag.withDefault("25 hours")
      ),
      overlap: Flag.Literals("overlap", ["skip", "queue", "cancel_previous"]).pipe(
        Flag.withDescription("What becomes of a start while the one before runs (default: skip)"),
        Flag.withDefault("skip")
      ),
      catchUp: Flag.Literals("catch-up", ["none", "last", "all"]).pipe(
        Flag.withDescription("Which missed starts are made up for (default: last)"),
        Flag.withDefault("last")
      ),
      jitter: Flag.String("jitter").pipe(
        Flag.withDescription("The longest that a start is put off by chance, as \"5 minutes\""),
        Flag.withDefault("0 millis")
      ),
      caller: Flag.String("caller").pipe(
        Flag.withDescription("For whom it runs (default: you)"),
        Flag.optional
      ),
      by: by(about),
      data,
      json
    },
    Effect.fnUntraced(function*(options) {
      const definition = yield* definitionOf(options)
      return yield* run(
        options,
        (client, who) =>
          client.schedule_add({
            definition: { ...definition, caller: Option.getOrElse(options.caller, () => who) }
          }),
        (schedule) => `${schedule.name} is made\n${Print.schedules([schedule])}`
      )
    })
  ).pipe(
    Command.withDescription("Make a schedule"),
    Command.withExamples([{
      command: "aosiq schedules add nightly --actor Feed --input @order.json --cron \"0 3 * * *\" " +
        "--zone Europe/Berlin --grant tool:read_feed",
      description: "Every night at three, by the clock in Berlin"
    }])
  )

interface Asked {
  readonly name: string
  readonly actor: string
  readonly input: string
  readonly cron: Option.Option<string>
  readonly zone: string
  readonly repeated: "earlier" | "later" | "both"
  readonly at: ReadonlyArray<string>
  readonly grant: ReadonlyArray<string>
  readonly budget: number
  readonly lifetime: string
  readonly overlap: Schedule.Overlap
  readonly catchUp: Schedule.CatchUp
  readonly jitter: string
  readonly caller: Option.Option<string>
}

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))

const decodeDefinition = Schema.decodeUnknownEffect(Schedule.Definition)

const definitionOf = Effect.fnUntraced(function*(asked: Asked) {
  if (Option.isSome(asked.cron) === asked.at.length > 0) {
    return yield* refuse("a schedule has either --cron or --at", "give one of them")
  }
  const input = yield* Given.inputOf(asked.input)
  const when = Option.isSome(asked.cron)
    ? { kind: "cron", expression: asked.cron.value, zone: asked.zone, repeated: asked.repeated }
    : { kind: "at", instants: yield* Effect.forEach(asked.at, instantIn(asked.zone)) }
  const lifetimeMs = yield* Given.durationOf("--lifetime", asked.lifetime)
  return yield* Effect.catch(
    decodeDefinition({
      name: asked.name,
      actor: asked.actor,
      input,
      grant: {
        capabilities: asked.grant,
        budgetMicroUsd: asked.budget,
        lifetimeSeconds: Math.ceil(lifetimeMs / 1000),
        depth: defaultTerms.depth,
        limits: defaultTerms.limits
      },
      // Whoever gives the order, unless somebody is named: then it is known.
      caller: Option.getOrElse(asked.caller, () => "you"),
      when,
      overlap: asked.overlap,
      catchUp: asked.catchUp,
      jitterMs: yield* Given.durationOf("--jitter", asked.jitter)
    }),
    (error) => refuse(`this is no schedule: ${error.message}`, "see aosiq schedules add --help")
  )
})

/** A time without an offset is local to the zone. */
const instantIn = (zone: string) => (text: string) => {
  const isLocal = !/(?:Z|[+-]\d\d:?\d\d)$/i.test(text)
  const made = DateTime.makeZoned(isLocal ? `${text}Z` : text, { timeZone: zone, adjustForTimeZone: isLocal })
  return Option.match(made, {
    onNone: () =>
      refuse(`${text} is no time in ${zone}`, "write it as 2026-12-24T18:00, and the zone as Europe/Berlin"),
    onSome: (instant) => Effect.succeed(DateTime.toEpochMillis(instant))
  })
}
