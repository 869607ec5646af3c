/** `aosiq endorse`: vouch for a source or a value in a session that goes on, for acts and until a time. */
import { Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { Operations } from "../../operator/index.ts"
import { Flow } from "../../trust/index.ts"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import { UsageError } from "./Runtime.ts"

/** The command. */
export const endorse = (about: About) =>
  Command.make(
    "endorse",
    {
      session: Given.session,
      source: Flag.String("source").pipe(
        Flag.withDescription("What a tool returns, or one field of it"),
        Flag.withMetavar("TOOL[:PATH]"),
        Flag.optional
      ),
      values: Flag.String("value").pipe(
        Flag.withDescription("A value as it stands in the argument; may be repeated"),
        Flag.atLeast(0)
      ),
      acts: Flag.String("for").pipe(
        Flag.withDescription("The act (a tool's name) that it is for; may be repeated"),
        Flag.withMetavar("TOOL"),
        Flag.atLeast(1)
      ),
      paths: Flag.String("argument").pipe(
        Flag.withDescription("The argument that it is for (default: all); may be repeated"),
        Flag.withMetavar("PATH"),
        Flag.atLeast(0)
      ),
      until: Flag.String("until").pipe(
        Flag.withDescription("When it ends, such as 2030-01-31T12:00Z; thirty days from now at most"),
        Flag.withMetavar("TIME")
      ),
      by: by(about),
      reason,
      data,
      json
    },
    Effect.fnUntraced(function*(options) {
      const terms = yield* termsOf(options)
      return yield* run(
        options,
        (client) => client.session_endorse({ session: options.session, terms, reason: options.reason }),
        said
      )
    })
  ).pipe(
    Command.withDescription("Vouch for a source or a value in a session, for acts and until a time"),
    Command.withExamples([{
      command: "aosiq endorse SESSION --value ann@partner.example --for send_email --until 2030-01-31T12:00Z",
      description: "Let this session write to that address, though a stranger named it"
    }])
  )

// internal

const termsOf = Effect.fnUntraced(function*(options: {
  readonly source: Option.Option<string>
  readonly values: ReadonlyArray<string>
  readonly acts: ReadonlyArray<string>
  readonly paths: ReadonlyArray<string>
  readonly until: string
}) {
  const { acts, paths, source, until, values } = options
  if (Option.isSome(source) === values.length > 0) {
    const detail = "it is either a source or a value that is vouched for"
    return yield* new UsageError({ detail, remedy: "give --source, or --value" })
  }
  return yield* Schema.decodeUnknownEffect(Flow.Terms)({
    ...(Option.isSome(source) ? { source: sourceOf(source.value) } : { value: values }),
    for: { tools: acts, ...(paths.length === 0 ? {} : { arguments: paths }) },
    until
  }).pipe(
    Effect.mapError(({ message }) => new UsageError({ detail: message, remedy: "see aosiq endorse --help" }))
  )
})

const sourceOf = (text: string) => {
  const colon = text.indexOf(":")
  return colon === -1 ? { tool: text } : { tool: text.slice(0, colon), path: text.slice(colon + 1) }
}

const said = ({ holds, run, session, terms }: Operations.EndorsedView, by: string): string =>
  [
    `${by} vouches for it in ${session}, on record as ${terms.slice(0, 12)}`,
    ...holds ? [] : ["it does not hold yet: more people have to vouch for the same"],
    ...run === null ? [] : [`session ${run.session} ${Print.standing(run)}`]
  ].join("\n")
