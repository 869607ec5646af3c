/** `aosiq policy`: what a policy on labels says, which tools it leaves to the last resort, and whether its cases hold. */
import { Console, Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import type { Row } from "../../audit/index.ts"
import type { Operations } from "../../operator/index.ts"
import { Case, Flow } from "../../trust/index.ts"
import { data, json, run } from "./Ask.ts"
import * as Print from "./Print.ts"
import { type Client, type Looked, Runtime, RuntimeError } from "./Runtime.ts"
import { here } from "./Where.ts"

/** The command with its subcommands. */
export const policy = Command.make("policy").pipe(
  Command.withDescription("Look at policies on labels: what may flow where"),
  Command.withSubcommands([
    here(Command.make(
      "check",
      { file: Argument.String("file").pipe(Argument.withDescription("Policy, YAML or JSON")), json },
      Effect.fnUntraced(function*({ file, json }) {
        const looked = yield* look(file)
        yield* print(json, looked, () => looked.policy === null ? mistakes(file, looked) : words(looked.policy))
        if (looked.policy === null) return yield* unfit(file, looked)
      })
    )).pipe(Command.withDescription("Say in words what a policy means, or the first mistakes in it with their lines")),
    here(Command.make(
      "test",
      { file: Argument.String("file").pipe(Argument.withDescription("Policy with cases, YAML or JSON")), json },
      Effect.fnUntraced(function*({ file, json }) {
        const looked = yield* look(file)
        if (looked.policy === null) {
          yield* print(json, looked, () => mistakes(file, looked))
          return yield* unfit(file, looked)
        }
        const ran = looked.cases.map((one) => Case.run(looked.policy, one))
        yield* print(json, ran, () => outcomes(ran))
        const failing = ran.filter(({ expected, found }) => expected !== found)
        if (failing.length > 0) {
          const detail = `${Print.many(failing.length, "case")} of ${ran.length} came out otherwise`
          return yield* new RuntimeError({ detail, remedy: "mend the rules, or what the case expects" })
        }
      })
    )).pipe(
      Command.withDescription("Run the cases of a policy: each says whether an act is allowed, asks or is refused")
    ),
    Command.make(
      "coverage",
      {
        file: Argument.String("file").pipe(
          Argument.withDescription("Policy, YAML or JSON (default: the one in force)"),
          Argument.optional
        ),
        data,
        json
      },
      (options) =>
        run(
          options,
          Effect.fnUntraced(function*(client: Client) {
            if (Option.isNone(options.file)) return yield* client.policy_coverage({})
            const looked = yield* look(options.file.value)
            if (looked.policy === null) return yield* unfit(options.file.value, looked)
            return yield* client.policy_coverage({ policy: looked.policy })
          }),
          coverage
        )
    ).pipe(Command.withDescription("Which rules cover each tool that does something, and which tools none covers")),
    Command.make("shadow", { data, json }, (options) =>
      run(
        options,
        (client) => Effect.map(refusals(client), (rows) => rows.flatMap(shadowed)),
        shadows
      )).pipe(Command.withDescription("What rules in shadow, or a policy in shadow, would have stopped"))
  ])
)

// internal

const look = (file: string) => Effect.flatMap(Runtime, (runtime) => runtime.policy(file))

const print = (json: boolean, value: unknown, text: () => string) =>
  Console.log(json ? Print.json(value, 2) : Print.plain(text()))

type Wrong = Extract<Looked, { readonly policy: null }>

const unfit = (file: string, { mistakes: [first] }: Wrong) =>
  Effect.fail(
    new RuntimeError({
      detail: `${file} is no policy: line ${first?.line ?? 1}: ${first?.detail ?? ""}`,
      remedy: first?.remedy ?? ""
    })
  )

const mistakes = (file: string, { mistakes }: Wrong): string =>
  mistakes.map(({ detail, line, remedy }) => `${file}:${line}: ${detail}\n  remedy: ${remedy}`).join("\n")

const words = ({ endorsed = [], mode, readers, rules }: Flow.Policy): string =>
  [
    ...mode === "shadow" ? ["in shadow: nothing is stopped, what would have been is recorded", ""] : [],
    ...rules.flatMap(ruled),
    "acts that no rule covers",
    "  every argument must be no stranger's; else a person is asked",
    "what leaves",
    `  goes to whom it is for; else ${readers === "approve" ? "a person is asked" : "it is refused"}`,
    ...endorsed.flatMap((one) => [
      `${one.by} vouches (${one.name}): ${one.reason}`,
      `  ${vouched(one)}, for ${one.for.tools.join(", ")}, until ${one.until}`
    ])
  ].join("\n")

const ruled = (rule: Flow.Rule): ReadonlyArray<string> => {
  const acts = [
    ...rule.sinks === undefined ? [] : [`acts that are ${rule.sinks.join(" or ")}`],
    ...rule.tools === undefined ? [] : [rule.tools.join(", ")]
  ]
  const named = rule.named
  return [
    `${rule.name}${rule.shadow === true ? " (in shadow: it records and stops nothing)" : ""}`,
    `  for ${acts.join(", of these ")}`,
    ...asks(rule.arguments),
    ...named === undefined
      ? []
      : [`  where the request names ${named.by.join(" or ")} itself, it is enough that`, ...asks(named.arguments)],
    `  else ${rule.otherwise === "refuse" ? "it is refused" : "a person is asked"}`
  ]
}

const asks = (table: Flow.Rule["arguments"]): ReadonlyArray<string> => [
  ...Object.entries(table).map(([path, one]) =>
    `  ${path === "*" ? "any argument" : path} must be ${Flow.wording[one]}`
  ),
  ...Object.hasOwn(table, "*") ? [] : [`  any other argument must be ${Flow.wording.trusted}`]
]

const vouched = ({ source, value }: Flow.Endorsement): string =>
  source === undefined
    ? [value ?? []].flat().map((one) => JSON.stringify(one)).join(", ")
    : `what ${source.tool} returns${source.path === undefined ? "" : ` at ${source.path}`}`

const outcomes = (ran: ReadonlyArray<Case.Ran>): string =>
  ran.length === 0
    ? "there are no cases in it"
    : ran.flatMap(({ because, expected, found, name }) =>
      expected === found
        ? [`ok    ${name}: ${found}`]
        : [`WRONG ${name}: ${found}, not ${expected}`, ...because.map((why) => `      ${why}`)]
    ).join("\n")

const coverage = (list: ReadonlyArray<Operations.CoverageView>): string =>
  list.length === 0
    ? "no tool of this process does anything to the world"
    : Print.table(
      ["tool", "sinks", "rules"],
      list.map(({ rules, sinks, tool }) => [
        tool,
        sinks.join(", "),
        rules.length === 0 ? "NONE: a person is asked about anything of a stranger's" : rules.join(", ")
      ])
    )

interface Shadowed {
  readonly session: string
  readonly at: number
  readonly act: string
  readonly reason: string
}

/** All of them, so many at a time: those of one instant may come again with the next. */
const refusals = Effect.fnUntraced(function*(client: Client) {
  const found = new Map<string, Row.Row>()
  for (let since = 0;;) {
    const rows = yield* client.audit_query({ since, kind: "refusal" })
    const before = found.size
    for (const row of rows) found.set(`${row.session}/${row.seq}`, row)
    const last = rows.at(-1)
    if (last === undefined || found.size === before) return [...found.values()]
    since = last.at
  }
})

const shadowed = ({ at, body, session }: Row.Row): ReadonlyArray<Shadowed> =>
  body.kind === "refusal" && body.ran && body.layer === "policy" && body.reason.startsWith(mark)
    ? [{ session, at, act: body.act, reason: body.reason.slice(mark.length) }]
    : []
/** How the Governor begins the reason of such a row. */
const mark = "in shadow: "

const shadows = (list: ReadonlyArray<Shadowed>): string =>
  list.length === 0
    ? "nothing would have been stopped"
    : list.map(({ act, at, reason, session }) => `${Print.time(at)} ${session} ${act}: ${reason}`).join("\n")
