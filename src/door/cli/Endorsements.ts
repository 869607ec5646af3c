/** `aosiq endorsements`: what people vouch for in sessions, and taking it back. */
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Claims } from "../../capability/index.ts"
import type { Endorsements } from "../../session/index.ts"
import type { Flow } from "../../trust/index.ts"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import * as Print from "./Print.ts"
import { type Client, RuntimeError } from "./Runtime.ts"

/** The command with its subcommands. */
export const endorsements = (about: About) =>
  Command.make("endorsements").pipe(
    Command.withDescription("See and take back what people vouch for in sessions"),
    Command.withSubcommands([
      Command.make("list", { session: ofSession, data, json }, (options) =>
        run(options, (client) =>
          client.endorsements_list(Option.match(options.session, {
            onNone: () => ({}),
            onSome: (session) => ({ session })
          })), list)).pipe(Command.withDescription("List them: of one session, or of all that go on")),
      Command.make("revoke", { session, terms, by: by(about), reason, data, json }, (options) =>
        run(options, (client) =>
          revoke(client, options), revoked)).pipe(
          Command.withDescription("Take one back: nothing is let through by it after that")
        )
    ])
  )

// internal

const session = Argument.String("session").pipe(
  Argument.withSchema(Claims.SessionId),
  Argument.withDescription("Session, as in `aosiq endorsements list`")
)
const terms = Argument.String("endorsement").pipe(
  Argument.withDescription("Endorsement, as in `aosiq endorsements list`: the first characters are enough")
)
const ofSession = Flag.String("session").pipe(
  Flag.withSchema(Claims.SessionId),
  Flag.withDescription("Session, as in `aosiq sessions`"),
  Flag.optional
)

const revoke = Effect.fnUntraced(function*(
  client: Client,
  { reason, session, terms }: {
    readonly session: Claims.SessionId
    readonly terms: string
    readonly reason: string
  }
) {
  const all = yield* client.endorsements_list({ session })
  const found = all.filter((one) => terms !== "" && one.terms.startsWith(terms))
  const [one] = found
  if (one === undefined || found.length > 1) {
    const detail = `${found.length === 0 ? "none" : "more than one"} in ${session} begins with ${JSON.stringify(terms)}`
    return yield* new RuntimeError({ detail, remedy: `see aosiq endorsements list --session ${session}` })
  }
  return yield* client.endorsement_revoke({ session, terms: one.terms, reason })
})

const list = (views: ReadonlyArray<Endorsements.View>): string =>
  views.length === 0
    ? "nothing is vouched for"
    : Print.table(
      ["endorsement", "session", "state", "what", "for", "until (UTC)", "by"],
      views.map((view) => [
        view.terms.slice(0, 12),
        view.session,
        view.standing,
        what(view.what),
        uses(view.what),
        Print.time(view.until),
        view.people.map(({ by }) => by).join(", ")
      ])
    )

const revoked = ({ revoked, session, terms }: Endorsements.View): string =>
  `${terms.slice(0, 12)} in ${session} is taken back by ${
    revoked?.by ?? "nobody"
  }: nothing is let through by it any more`

const what = (terms: Flow.Terms | null): string => {
  if (terms === null) return "(erased)"
  const { source, value = [] } = terms
  if (source !== undefined) return `what ${source.tool} returns${source.path === undefined ? "" : ` at ${source.path}`}`
  return [value].flat().map((one) => JSON.stringify(one)).join(", ")
}

const uses = (terms: Flow.Terms | null): string =>
  terms === null
    ? "(erased)"
    : terms.for.tools.join(", ") + (terms.for.arguments === undefined ? "" : ` (${terms.for.arguments.join(", ")})`)
