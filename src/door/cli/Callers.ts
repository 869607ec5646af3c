/** `aosiq callers`: who is let in from outside, with which role and ceiling, and by which tokens. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { defaultTerms } from "../../capability/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import type { Operations } from "../../operator/index.ts"
import { Caller, KnownBy } from "../../session/index.ts"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import { type Client, UsageError } from "./Runtime.ts"

/** The command with its subcommands. */
export const callers = (about: About) =>
  Command.make("callers").pipe(
    Command.withDescription("See and decide who is let in from outside"),
    Command.withSubcommands([
      Command.make("list", { data, json }, (options) => run(options, (client) => client.callers_list(), table)).pipe(
        Command.withDescription("List callers, with the ids of their tokens")
      ),
      self,
      add(about),
      bind(about),
      rotate(about),
      revoke(about)
    ])
  )

// internal

const name = Argument.String("name").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Caller, as in `aosiq callers list`")
)

const self = Command.make(
  "self",
  { data, json },
  (options) =>
    run(
      options,
      (client) => client.caller_self(),
      ({ ceiling, name, role }) =>
        `${name}, in the role ${role}${
          ceiling === null
            ? ""
            : `, holds ${MicroUsd.format(ceiling.budgetMicroUsd)} a session and ${
              ceiling.capabilities.join(" ") || "nothing"
            }`
        }`
    )
).pipe(Command.withDescription("Who you are to the runtime: with --remote, the token's caller"))

const add = (about: About) =>
  Command.make(
    "add",
    {
      name: Argument.String("name").pipe(Argument.withDescription("Lower-case letters, digits and . _ @ -")),
      role: Flag.Literals("role", Caller.Role.literals).pipe(Flag.withDescription("What it is there for")),
      actor: Flag.String("actor").pipe(
        Flag.withDescription("Class that it may dispatch: it holds what that declares; may be repeated"),
        Flag.withMetavar("CLASS"),
        Flag.atLeast(0)
      ),
      grant: Flag.String("grant").pipe(
        Flag.withDescription("Capability that its sessions may hold; may be repeated"),
        Flag.withMetavar("CAPABILITY"),
        Flag.atLeast(0)
      ),
      budget: Given.usd("budget").pipe(
        Flag.withDescription("Ceiling of each of its sessions in US dollars (default: 1)"),
        Flag.withMetavar("USD"),
        Flag.withDefault(MicroUsd.fromUsd(1))
      ),
      ...shown,
      by: by(about),
      data,
      json
    },
    (options) =>
      run(
        options,
        (client) =>
          Effect.gen(function*() {
            const definition = yield* definitionOf(client, options)
            const knownBy = yield* knownByOf(options)
            return yield* client.caller_add({ definition, ...Option.isSome(knownBy) ? { knownBy: knownBy.value } : {} })
          }),
        given
      )
  ).pipe(
    Command.withDescription("Let somebody in; prints the token, which is not kept, unless they show something else"),
    Command.withExamples([{
      command: "aosiq callers add ci --role operator --actor Diagnosis --budget 0.5",
      description: "A program that may dispatch diagnoses of half a dollar each"
    }, {
      command: "aosiq callers add grace --role approver --issuer https://login.example --subject 248289761001",
      description: "A person whom an issuer vouches for"
    }, {
      command: "aosiq callers add deploy --role operator --certificate uri:spiffe://example/deploy",
      description: "A program with a client certificate"
    }])
  )

/** What is shown that is no token. */
const shown = {
  issuer: Flag.String("issuer").pipe(
    Flag.withDescription("Issuer that vouches for the subject, as its tokens spell it"),
    Flag.withMetavar("URL"),
    Flag.optional
  ),
  subject: Flag.String("subject").pipe(
    Flag.withDescription("Who it is for that issuer: the `sub` of its tokens"),
    Flag.withMetavar("SUB"),
    Flag.optional
  ),
  certificate: Flag.String("certificate").pipe(
    Flag.withDescription(
      "Name of a client certificate: its SHA-256, or uri:, dns:, email: or subject: and what it says"
    ),
    Flag.withMetavar("NAME"),
    Flag.optional
  )
}

const bind = (about: About) =>
  Command.make(
    "bind",
    { name, ...shown, by: by(about), data, json },
    (options) =>
      run(
        options,
        (client) =>
          Effect.gen(function*() {
            const knownBy = yield* knownByOf(options)
            if (Option.isSome(knownBy)) {
              return yield* client.caller_bind({ caller: options.name, knownBy: knownBy.value })
            }
            return yield* refuse(
              "nothing says what it is known by",
              "name an --issuer and a --subject, or a --certificate"
            )
          }),
        ({ credentials, name }) => `${name} is known by ${Print.many(credentials.length, "credential")}`
      )
  ).pipe(Command.withDescription("Have a caller known by a subject or a certificate as well"))

const rotate = (about: About) =>
  Command.make(
    "rotate",
    {
      name,
      overlap: Flag.String("overlap").pipe(
        Flag.withDescription("How long its tokens so far go on being good, as \"2 hours\" (default: \"24 hours\")"),
        Flag.withDefault("24 hours")
      ),
      by: by(about),
      data,
      json
    },
    (options) =>
      run(
        options,
        (client) =>
          Effect.flatMap(
            Given.durationOf("--overlap", options.overlap),
            (overlapMs) => client.caller_rotate({ caller: options.name, overlapMs })
          ),
        given
      )
  ).pipe(Command.withDescription("Give a caller another token; prints it"))

const revoke = (about: About) =>
  Command.make(
    "revoke",
    {
      name,
      token: Flag.String("token").pipe(
        Flag.withDescription("This one of its tokens, subjects or certificates alone, by its id"),
        Flag.withMetavar("ID"),
        Flag.optional
      ),
      reason,
      by: by(about),
      data,
      json
    },
    (options) =>
      run(
        options,
        (client) =>
          client.caller_revoke({
            caller: options.name,
            reason: options.reason,
            ...Option.isSome(options.token) ? { credential: options.token.value } : {}
          }),
        ({ credentials, name, revokedAt }) =>
          revokedAt === null
            ? `${name} has ${Print.many(credentials.length, "token")} left`
            : `${name} is let in no more; what it has started goes on`
      )
  ).pipe(Command.withDescription("Let a caller in no more, or withdraw one of its tokens"))

interface Asked {
  readonly name: string
  readonly role: Caller.Role
  readonly actor: ReadonlyArray<string>
  readonly grant: ReadonlyArray<string>
  readonly budget: number
}

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))
const decodeDefinition = Schema.decodeUnknownEffect(Caller.Definition)

const definitionOf = Effect.fnUntraced(function*(client: Client, { actor, budget, grant, name, role }: Asked) {
  const known = actor.length === 0 ? [] : yield* client.agents_list()
  const strange = actor.find((wanted) => !known.some(({ name }) => name === wanted))
  if (strange !== undefined) {
    return yield* refuse(`there is no actor ${strange}`, `name one of ${known.map(({ name }) => name).join(", ")}`)
  }
  const declared = known.filter(({ name }) => actor.includes(name)).flatMap(({ capabilities }) => capabilities)
  return yield* Effect.catch(
    decodeDefinition({
      name,
      role,
      ceiling: {
        ...defaultTerms,
        capabilities: [...new Set([...declared, ...grant])],
        budgetMicroUsd: budget
      }
    }),
    (error) => refuse(`this is no caller: ${error.message}`, "see aosiq callers add --help")
  )
})

interface Shown {
  readonly issuer: Option.Option<string>
  readonly subject: Option.Option<string>
  readonly certificate: Option.Option<string>
}

const knownByOf = ({ certificate, issuer, subject }: Shown) => {
  const isSubject = Option.isSome(issuer) && Option.isSome(subject)
  if (Option.isSome(issuer) !== Option.isSome(subject) || (isSubject && Option.isSome(certificate))) {
    return refuse("--issuer and --subject go together, and without --certificate", "name the two of them, or the other")
  }
  if (!isSubject && Option.isNone(certificate)) return Effect.succeedNone
  return Effect.mapBoth(
    decodeKnownBy(
      isSubject
        ? { kind: "subject", issuer: issuer.value, subject: subject.value }
        : { kind: "certificate", name: KnownBy.normal(Option.getOrElse(certificate, () => "")) }
    ),
    { onFailure: (error) => notKnown(error.message), onSuccess: Option.some }
  )
}
const decodeKnownBy = Schema.decodeUnknownEffect(KnownBy.KnownBy)
const notKnown = (why: string) =>
  new UsageError({ detail: `nobody can be known by this: ${why}`, remedy: "see aosiq callers add --help" })

const given = ({ credentials, name, role, token }: Operations.GivenView): string =>
  token === null
    ? `${name} is let in as ${role}, known by ${credentials.map(saidOf).join(", ")}`
    : `${name} is let in as ${role} with this token, which nobody can tell again:\n${token}`

/** A credential as it is named, with what is shown where that is no token. */
const saidOf = ({ id, knownBy }: Operations.CallerView["credentials"][number]): string => {
  if (knownBy === undefined) return id
  return `${id} (${knownBy.kind === "subject" ? `${knownBy.subject} of ${knownBy.issuer}` : knownBy.name})`
}

const table = (list: ReadonlyArray<Operations.CallerView>): string =>
  list.length === 0 ? "nobody is let in from outside" : Print.table(
    ["caller", "role", "since (UTC)", "known by", "budget", "holds"],
    list.map(({ ceiling, createdAt, credentials, name, revokedAt, role }) => [
      name,
      revokedAt === null ? role : "revoked",
      Print.time(createdAt),
      credentials.map((one) =>
        one.expiresAt === null ? saidOf(one) : `${saidOf(one)} until ${Print.time(one.expiresAt)}`
      )
        .join(", "),
      MicroUsd.format(ceiling.budgetMicroUsd),
      ceiling.capabilities.join(" ")
    ])
  )
