/** `aosiq sessions`: what runs and what ran; open one, watch it, stop it, let it go on. */
import { Console, Effect, Option, Schema, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Log } from "../../audit/index.ts"
import { Capability, type Claims } from "../../capability/index.ts"
import type { Operations } from "../../operator/index.ts"
import { type About, by, data, json, type Mode, reason, run, stream } from "./Ask.ts"
import { fork } from "./Fork.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import * as PrintSessions from "./PrintSessions.ts"
import { type Client, RuntimeError, UsageError, type Watched } from "./Runtime.ts"
import { final } from "./Watch.ts"

/** The command with its subcommands. */
export const sessions = (about: About) =>
  Command.make("sessions", { data, json }, (options) => listed(options, {})).pipe(
    Command.withDescription("List sessions; open, watch, pause, resume, cancel, fork or revoke one"),
    Command.withSubcommands([
      list,
      dispatch(about),
      show,
      watch,
      rows,
      result,
      control(about, "pause"),
      control(about, "resume"),
      control(about, "cancel"),
      fork(about),
      Command.make("revoke", { session: Given.session, by: by(about), reason, data, json }, (options) =>
        run(
          options,
          (client) => client.session_revoke({ session: options.session, reason: options.reason }),
          ({ id }) => `the token of ${id} is revoked, and with it every token below: none of their acts runs any more`
        )).pipe(Command.withDescription("Revoke a session's token and every token below it"))
    ])
  )

/** `aosiq agents`. */
export const agents = Command.make(
  "agents",
  { data, json },
  (options) => run(options, (client) => client.agents_list(), PrintSessions.agents)
).pipe(Command.withDescription("List the actors that can be dispatched, and what each needs"))

// internal

interface Wanted {
  readonly status?: Log.Status | undefined
  readonly actor?: string | undefined
  readonly caller?: string | undefined
  readonly since?: number
}

const listed = (mode: Mode, { actor, caller, since, status }: Wanted) =>
  run(
    mode,
    (client) =>
      Effect.map(client.sessions_list(since === undefined ? {} : { since }), (all) =>
        all.filter((session) =>
          (status === undefined || session.status === status) &&
          (caller === undefined || session.caller === caller) &&
          (actor === undefined || session.actor === actor)
        )),
    Print.sessions
  )

const list = Command.make(
  "list",
  {
    status: Flag.Literals("status", Log.Status.literals).pipe(Flag.withDescription("That stand so"), Flag.optional),
    actor: Flag.String("actor").pipe(
      Flag.withDescription("Of this class"),
      Flag.withMetavar("CLASS"),
      Flag.optional
    ),
    caller: Flag.String("caller").pipe(
      Flag.withDescription("That this one asked for"),
      Flag.withMetavar("NAME"),
      Flag.optional
    ),
    since: Given.since.pipe(Flag.optional),
    data,
    json
  },
  Effect.fnUntraced(function*({ actor, caller, since, status, ...mode }) {
    return yield* listed(mode, {
      status: Option.getOrUndefined(status),
      actor: Option.getOrUndefined(actor),
      caller: Option.getOrUndefined(caller),
      ...Option.isSome(since) ? { since: yield* Given.sinceOf(since.value) } : {}
    })
  })
).pipe(Command.withDescription("List sessions, oldest first"))

const show = Command.make(
  "show",
  { session: Given.session, data, json },
  ({ session, ...mode }) => run(mode, (client) => client.session_show({ session }), PrintSessions.session)
).pipe(Command.withDescription("Show how one stands"))

const from = Flag.Int("from").pipe(
  Flag.filter((from) => from >= 0, () => "0 or more"),
  Flag.withDescription("Number of the first row"),
  Flag.withDefault(0)
)

const rows = Command.make(
  "rows",
  { session: Given.session, from, data, json },
  ({ from, session, ...mode }) =>
    run(
      mode,
      (client) => Effect.andThen(client.session_show({ session }), client.session_rows({ session, from })),
      PrintSessions.rows
    )
).pipe(Command.withDescription("List what was recorded of one, in order"))

const result = Command.make(
  "result",
  { session: Given.session, data, json },
  ({ session, ...mode }) =>
    run(
      mode,
      (client) => Effect.andThen(client.session_show({ session }), client.session_result({ session })),
      PrintSessions.result
    )
).pipe(Command.withDescription("Print what one ended with, as JSON; null while there is nothing"))

const watch = Command.make(
  "watch",
  { session: Given.session, from, data, json },
  ({ from, session, ...mode }) =>
    stream(
      mode,
      (client) => client.session_watch({ session, from }),
      (event) => PrintSessions.event(session, event)
    )
).pipe(
  Command.withDescription(
    "Print what is recorded of one as it happens, until it has ended; with --json a line for each"
  ),
  Command.withExamples([
    { command: "aosiq sessions watch SESSION --json", description: "Events for a program, one a line" }
  ])
)

/** What each order to a session does, as its help says, and what is said when it was done. */
const controls = {
  pause: {
    description: "Stop a session's whole tree between two acts, until it is resumed",
    done: (id: string) => `${id} is paused: what was under way comes to its end, and nothing else begins`
  },
  resume: {
    description: "Let a paused session go on from where it stopped",
    done: (id: string) => `${id} goes on`
  },
  cancel: {
    description: "End a session and all below it; there is no way back",
    done: (id: string) =>
      `${id} is cancelled, and all below it: what was under way comes to its end, nothing else begins`
  }
} as const

const control = (about: About, action: keyof typeof controls) =>
  Command.make(action, { session: Given.session, by: by(about), reason, data, json }, (options) =>
    run(
      options,
      (client) => client.session_control({ session: options.session, action, reason: options.reason }),
      ({ id }) => controls[action].done(id)
    )).pipe(Command.withDescription(controls[action].description))

const dispatch = (about: About) =>
  Command.make(
    "dispatch",
    {
      actor: Argument.String("actor").pipe(
        Argument.withSchema(Schema.NonEmptyString),
        Argument.withDescription("Actor, as in `aosiq agents`")
      ),
      input: Given.input,
      grant: Flag.String("grant").pipe(
        Flag.withDescription("Capability that it may hold (default: what its class declares); may be repeated"),
        Flag.withMetavar("CAPABILITY"),
        Flag.atLeast(0)
      ),
      budget: Given.usd("budget").pipe(
        Flag.withDescription("Ceiling in US dollars (default: the caller's)"),
        Flag.withMetavar("USD"),
        Flag.optional
      ),
      lifetime: Flag.String("lifetime").pipe(
        Flag.withDescription("How long it may take, waits included, as \"2 hours\" (default: the caller's)"),
        Flag.withMetavar("TIME"),
        Flag.optional
      ),
      key: Flag.String("key").pipe(
        Flag.withSchema(Schema.NonEmptyString),
        Flag.withDescription("A name for this order: given again, it is the same session"),
        Flag.optional
      ),
      watch: Flag.Boolean("watch").pipe(
        Flag.withDescription("Wait until it has ended, or waits for somebody, and print what it came to"),
        Flag.withDefault(false)
      ),
      by: by(about),
      data,
      json
    },
    Effect.fnUntraced(function*(options) {
      const order = yield* orderOf(options)
      if (!options.watch) {
        return yield* run(
          options,
          (client) => client.session_dispatch(order),
          ({ actor, id }) => `${id} is dispatched: ${actor}\n  watch:  aosiq sessions watch ${id}`
        )
      }
      const { session } = yield* run(
        options,
        Effect.fnUntraced(function*(client: Client) {
          const { id } = yield* client.session_dispatch(order)
          yield* followed(client, id)
          const session = yield* client.session_show({ session: id })
          return { session, result: yield* client.session_result({ session: id }) }
        }),
        PrintSessions.outcome
      )
      yield* well(session)
    })
  ).pipe(
    Command.withDescription("Open a session of an actor and have it run"),
    Command.withExamples([{
      command: "aosiq sessions dispatch Diagnosis --input @request.json --budget 0.5 --watch",
      description: "A diagnosis of half a dollar at most, seen to its end"
    }])
  )

const orderOf = Effect.fnUntraced(function*(asked: {
  readonly actor: string
  readonly input: string
  readonly grant: ReadonlyArray<string>
  readonly budget: Option.Option<number>
  readonly lifetime: Option.Option<string>
  readonly key: Option.Option<string>
}) {
  const bad = asked.grant.find((name) => !Capability.isName(name))
  if (bad !== undefined) {
    const detail = `${bad} is no capability`
    return yield* new UsageError({ detail, remedy: "write kind:name or kind:name@resource" })
  }
  const lifetimeMs = Option.isSome(asked.lifetime)
    ? yield* Given.durationOf("--lifetime", asked.lifetime.value)
    : undefined
  return {
    actor: asked.actor,
    input: yield* Given.inputOf(asked.input),
    ...asked.grant.length === 0 ? {} : { capabilities: asked.grant.filter(Capability.isName) },
    ...Option.isSome(asked.budget) ? { budgetMicroUsd: asked.budget.value } : {},
    ...lifetimeMs === undefined ? {} : { lifetimeSeconds: Math.ceil(lifetimeMs / 1000) },
    ...Option.isSome(asked.key) ? { key: asked.key.value } : {}
  }
})

/** Waits until a session has ended or waits for somebody; what happens is told to whoever sits at a terminal. */
const followed = Effect.fnUntraced(function*(client: Client, session: Claims.SessionId) {
  const isWatched = yield* (yield* Stdio.Stdio).stderrIsTerminal
  const rests = (event: Watched) => event.event === "end" || event.data.body.kind === "suspended"
  yield* client.session_watch({ session, from: 0 }).pipe(
    Stream.takeUntil(rests),
    Stream.runForEach((event) => {
      const line = isWatched ? PrintSessions.event(session, event) : undefined
      return line === undefined ? Effect.void : Console.error(Print.plain(`  ${line}`))
    })
  )
})

/** The command failed when its session did. */
const well = ({ id, status }: Operations.SessionView) =>
  final.has(status) && status !== "succeeded"
    ? Effect.fail(
      new RuntimeError({ detail: `${id} ended ${status}`, remedy: `see why: aosiq sessions rows ${id}` })
    )
    : Effect.void
