/** `aosiq approvals rules`: approve acts in advance, for a time and a number of times; see what was approved; revoke. */
import { Clock, Duration, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Rule } from "../../approval/index.ts"
import { Capability } from "../../capability/index.ts"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import * as PrintApprovals from "./PrintApprovals.ts"
import { type Client, RuntimeError, UsageError } from "./Runtime.ts"

/** The command with its subcommands. */
export const rules = (about: About) =>
  Command.make("rules").pipe(
    Command.withDescription("Approve acts in advance, bounded in time and number"),
    Command.withSubcommands([
      Command.make("list", { data, json }, (options) =>
        run(options, (client) =>
          client.rules_list(), PrintApprovals.rules)).pipe(
          Command.withDescription("List rules")
        ),
      Command.make("show", { rule: ruleId, data, json }, (options) =>
        run(options, (client) =>
          found(client, options.rule), PrintApprovals.rule)).pipe(
          Command.withDescription("Show what a rule approves, and every act that it approved")
        ),
      add(about),
      Command.make("approve", { rule: ruleId, by: by(about), reason, data, json }, (options) =>
        run(
          options,
          Effect.fnUntraced(function*(client: Client) {
            const { rule } = yield* found(client, options.rule)
            return yield* client.rule_approve({
              rule: rule.id,
              binding: rule.binding,
              reason: options.reason
            })
          }),
          PrintApprovals.ruled
        )).pipe(Command.withDescription("Agree to a rule that needs more people")),
      Command.make("revoke", { rule: ruleId, by: by(about), reason, data, json }, (options) =>
        run(
          options,
          (client) =>
            client.rule_revoke({ rule: options.rule, reason: options.reason }),
          PrintApprovals.ruled
        )).pipe(Command.withDescription("Revoke a rule: no act begins by it after that"))
    ])
  )

// internal

const ruleId = Argument.String("rule").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Rule, as in `aosiq approvals rules list`")
)

const found = (client: Client, id: string) =>
  Effect.flatMap(client.rules_list(), (list) => {
    const view = list.find(({ rule }) => rule.id === id)
    return view === undefined
      ? Effect.fail(new RuntimeError({ detail: `there is no rule ${id}`, remedy: "see aosiq approvals rules list" }))
      : Effect.succeed(view)
  })

const add = (about: About) =>
  Command.make(
    "add",
    {
      act: Flag.String("act").pipe(
        Flag.withSchema(Schema.NonEmptyString),
        Flag.withDescription("The act (a tool's name), or * for any within the capabilities")
      ),
      capabilities: Flag.String("capability").pipe(
        Flag.withDescription(
          "What the act may exercise, as in tool:refund or net:fetch@*.example.com; may be repeated"
        ),
        Flag.withMetavar("NAME"),
        Flag.atLeast(1)
      ),
      actor: Flag.String("class").pipe(
        Flag.withSchema(Schema.NonEmptyString),
        Flag.withDescription("Class of the actor, or * for any"),
        Flag.withDefault("*")
      ),
      where: Flag.String("where").pipe(
        Flag.withDescription("An argument that must be so: /path=JSON; several of one path are alternatives"),
        Flag.withMetavar("/PATH=JSON"),
        Flag.atLeast(0)
      ),
      definition: Flag.String("definition").pipe(
        Flag.withDescription("Hash of the tool's definition: another of that name is not approved"),
        Flag.optional
      ),
      uses: Flag.Int("uses").pipe(Flag.withDescription(`Acts approved at most, 1 to ${Rule.maxUses}`)),
      lifetime: Flag.String("for").pipe(
        Flag.withDescription("How long it stands, as in \"2 hours\"; thirty days at most"),
        Flag.withMetavar("TIME")
      ),
      by: by(about),
      reason,
      data,
      json
    },
    Effect.fnUntraced(function*(options) {
      const terms = yield* termsOf(options, yield* Clock.currentTimeMillis)
      return yield* run(
        options,
        (client) => client.rule_make({ terms, reason: options.reason }),
        PrintApprovals.ruled
      )
    })
  ).pipe(
    Command.withDescription("Approve acts in advance"),
    Command.withExamples([{
      command:
        "aosiq approvals rules add --act refund --capability tool:refund --where /euros=40 --uses 5 --for \"2 hours\"",
      description: "Five refunds of 40 euros, for two hours"
    }])
  )

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))

const termsOf = Effect.fnUntraced(function*(
  options: {
    readonly act: string
    readonly capabilities: ReadonlyArray<string>
    readonly actor: string
    readonly where: ReadonlyArray<string>
    readonly definition: Option.Option<string>
    readonly uses: number
    readonly lifetime: string
  },
  now: number
) {
  const bad = options.capabilities.find((name) => !Capability.isName(name))
  if (bad !== undefined) return yield* refuse(`${bad} is no capability`, "write kind:name or kind:name@resource")
  const lifetime = decodeLifetime(options.lifetime)
  if (Option.isNone(lifetime)) return yield* refuse(`${options.lifetime} is no time`, "write it as in \"2 hours\"")
  return yield* Schema.decodeUnknownEffect(Rule.Terms)({
    act: options.act,
    actor: options.actor,
    capabilities: options.capabilities,
    where: yield* constraintsOf(options.where),
    definition: Option.getOrNull(options.definition),
    maxUses: options.uses,
    expiresAt: now + Math.ceil(Duration.toMillis(lifetime.value))
  }).pipe(Effect.catch(({ message }) => refuse(message, "see aosiq approvals rules add --help")))
})

const decodeLifetime = (text: string) =>
  Option.filter(
    /^\d+(?:\.\d+)? [a-z]+$/.test(text) ? Duration.fromInput(text as Duration.Input) : Option.none(),
    (lifetime) => Duration.toMillis(lifetime) > 0
  )

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

/** `/path=JSON`, several of one path as alternatives; what is no JSON is a text as it stands. */
const constraintsOf = Effect.fnUntraced(function*(where: ReadonlyArray<string>) {
  const places = new Map<string, Array<Schema.Json>>()
  for (const one of where) {
    const equals = one.indexOf("=")
    if (equals < 0 || (equals > 0 && !one.startsWith("/"))) {
      return yield* refuse(`${one} is no condition`, "write it as /path=JSON")
    }
    const [at, text] = [one.slice(0, equals), one.slice(equals + 1)]
    places.set(at, [...places.get(at) ?? [], Option.getOrElse(decodeJson(text), () => text)])
  }
  return [...places].map(([at, oneOf]) => ({ at, oneOf }))
})
