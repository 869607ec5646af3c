/**
 * `aosiq approvals`: see what waits, and decide one ticket or several. What is decided is printed first, and the decision
 * carries the binding of what was printed: a ticket that is another by then is not decided.
 */
import { Console, Effect, Option, Schema, Stdio } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import type { Ticket } from "../../approval/index.ts"
import type { Operations } from "../../operator/index.ts"
import { type About, type By, by, data, json, reason, run, type Who } from "./Ask.ts"
import * as Print from "./Print.ts"
import * as PrintApprovals from "./PrintApprovals.ts"
import { rules } from "./Rules.ts"
import { type Client, RuntimeError, UsageError } from "./Runtime.ts"

/** The command with its subcommands. */
export const approvals = (about: About) =>
  Command.make("approvals").pipe(
    Command.withDescription("See and decide what waits for a person"),
    Command.withSubcommands([
      Command.make(
        "list",
        { data, json },
        (options) => run(options, (client) => client.approvals_list({}), PrintApprovals.tickets)
      ).pipe(Command.withDescription("List tickets")),
      Command.make("show", { ticket: ticketId, data, json }, (options) =>
        run(options, (client) =>
          client.approval_show({ ticket: options.ticket }), PrintApprovals.shown)).pipe(
          Command.withDescription("Show all that a ticket stands for, and the accounts it draws on")
        ),
      decide(about, "approve", true, "Approve: each act runs, once"),
      decide(about, "deny", false, "Deny: the acts do not run, and are not asked again in their sessions"),
      rules(about)
    ])
  )

// internal

const ticketId = Argument.String("ticket").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Ticket, as in `aosiq approvals list`")
)

interface Choice {
  readonly tickets: ReadonlyArray<string>
  readonly all: boolean
  readonly session: Option.Option<string>
  readonly act: Option.Option<string>
  readonly yes: boolean
  readonly by: By
  readonly reason: string
  readonly data: Option.Option<string>
  readonly json: boolean
}

const decide = (about: About, name: string, approve: boolean, description: string) =>
  Command.make(
    name,
    {
      tickets: ticketId.pipe(Argument.variadic()),
      all: Flag.Boolean("all").pipe(Flag.withDescription("Every ticket that waits"), Flag.withDefault(false)),
      session: Flag.String("session").pipe(
        Flag.withDescription("With --all: of this session, and of those below it"),
        Flag.optional
      ),
      act: Flag.String("act").pipe(Flag.withDescription("With --all: for this act"), Flag.optional),
      yes: Flag.Boolean("yes").pipe(Flag.withDescription("With --all: without asking back"), Flag.withDefault(false)),
      by: by(about),
      reason,
      data,
      json
    },
    Effect.fnUntraced(function*(choice) {
      yield* fitting(choice)
      const done = yield* run(
        choice,
        (client, who) => decided(client, who, approve, choice),
        PrintApprovals.decisions
      )
      yield* told(done, approve)
    })
  ).pipe(Command.withDescription(description))

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))

const fitting = ({ act, all, session, tickets, yes }: Choice) => {
  if (all && tickets.length > 0) return refuse("--all is for all tickets", "name tickets, or give --all")
  if (!all && tickets.length === 0) return refuse("no ticket is named", "name tickets, or give --all")
  const isNarrowed = Option.isSome(session) || Option.isSome(act) || yes
  return !all && isNarrowed
    ? refuse("--session, --act and --yes go with --all", "name tickets, or give --all")
    : Effect.void
}

/** Prints what is decided and decides it, unless the person thinks better of it. */
const decided = Effect.fnUntraced(function*(client: Client, who: Who, approve: boolean, choice: Choice) {
  const list = yield* client.approvals_list({})
  const wanted = choice.all ? list.filter((ticket) => isMeant(choice, ticket)) : named(list, choice.tickets)
  const say = (text: string) => choice.json ? Console.error(Print.plain(text)) : Console.log(Print.plain(text))
  yield* say(`${PrintApprovals.batch(wanted, approve, who)}\n`)
  const missing = choice.tickets
    .filter((id) => !wanted.some((ticket) => ticket.id === id))
    .map((ticket) => ({ ticket, detail: "there is no such ticket", remedy: "see aosiq approvals list" }))
  const [first, ...rest] = wanted.map(({ binding, id }) => ({ id, binding }))
  const nothing: Operations.DecisionsView = { decided: [], undecided: missing, runs: [], stalled: [] }
  if (first === undefined) return nothing
  if (choice.all && !choice.yes && !(yield* agreed(approve, choice, wanted))) return nothing
  const done = yield* client.approval_decide({
    tickets: [first, ...rest],
    approve,
    reason: choice.reason
  })
  return { ...done, undecided: [...done.undecided, ...missing] }
})

const isMeant = ({ act, session }: Choice, ticket: Ticket.Ticket): boolean =>
  ticket.state === "proposed" &&
  Option.match(act, { onNone: () => true, onSome: (name) => ticket.act === name }) &&
  Option.match(session, {
    onNone: () => true,
    onSome: (id) => ticket.session === id || ticket.session.startsWith(`${id}.`)
  })

const named = (list: ReadonlyArray<Ticket.Ticket>, ids: ReadonlyArray<string>) =>
  [...new Set(ids)].flatMap((id) => list.find((ticket) => ticket.id === id) ?? [])

/** Asks back at a terminal; elsewhere nobody has seen what would be decided. */
const agreed = Effect.fnUntraced(function*(
  approve: boolean,
  { data, json }: Choice,
  wanted: ReadonlyArray<Ticket.Ticket>
) {
  const stdio = yield* Stdio.Stdio
  const isAsked = !json && (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
  if (isAsked) {
    const message = `${approve ? "Approve" : "Deny"} ${Print.many(wanted.length, "ticket")}?`
    return yield* Effect.orElseSucceed(Prompt.run(Prompt.Confirm({ message, initial: false })), () => false)
  }
  const folder = Option.match(data, { onNone: () => "", onSome: (name) => ` --data ${Print.word(name)}` })
  return yield* refuse(
    `nobody was asked about ${Print.many(wanted.length, "ticket")}, and nothing was decided`,
    `read them, then: aosiq approvals ${approve ? "approve" : "deny"} ${wanted.map(({ id }) => id).join(" ")}${folder}`
  )
})

/** The command failed when any ticket was not decided, or an approved session did not go on well. */
const told = ({ decided, runs, stalled, undecided }: Operations.DecisionsView, approve: boolean) => {
  const [first] = undecided
  if (first !== undefined) {
    const others = undecided.length > 1 ? `; ${undecided.length - 1} more were not decided` : ""
    return fail(`ticket ${first.ticket} cannot be decided: ${first.detail}${others}`, first.remedy)
  }
  const [stuck] = stalled
  if (stuck !== undefined) {
    const done = decided.map(({ id, state }) => `ticket ${id} is ${state}`).join(", ")
    return fail(`${done}, but session ${stuck.session} did not go on: ${stuck.detail}`, stuck.remedy)
  }
  const failed = runs.find(({ status }) => status === "failed")
  return approve && failed !== undefined
    ? fail(failed.detail, "start the diagnosis again: aosiq start")
    : Effect.void
}

const fail = (detail: string, remedy: string) => Effect.fail(new RuntimeError({ detail, remedy }))
