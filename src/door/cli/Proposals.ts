/** `aosiq proposal`: what agents proposed, and what stands behind each claim. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { Operations } from "../../operator/index.ts"
import { data, json, run } from "./Ask.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import { RuntimeError } from "./Runtime.ts"

const looking = (name: "show" | "explain", about: string, print: (view: Operations.ProposalView) => string) =>
  Command.make(name, { session: Given.session, data, json }, ({ session, ...mode }) =>
    run(
      mode,
      (client) =>
        Effect.filterOrFail(
          client.proposals_get({ session }),
          (found) => found.length > 0,
          () =>
            new RuntimeError({
              detail: `${session} and those below it ended with no proposal`,
              remedy: "see: aosiq sessions"
            })
        ),
      (found) => found.map(print).join("\n\n")
    )).pipe(Command.withDescription(about))

const head = ({ actor, confidence, session, severity, summary, title }: Operations.ProposalView) => {
  return [title, summary, `${actor} ${session} · severity ${severity} · confidence ${Math.round(confidence * 100)}%`]
}

const shown = (view: Operations.ProposalView): string => {
  const claims = view.claims.flatMap(({ evidence, objections, text }) => [
    `${objections.length === 0 ? "holds" : "does not hold"}: ${text}`,
    ...evidence.map(({ cites, stamp }) => `  ${stamp} ${cites}`)
  ])
  return [...head(view), "", ...claims].join("\n")
}

const explained = (view: Operations.ProposalView): string => {
  const claims = view.claims.flatMap(({ evidence, objections, text }) => [
    "",
    `${objections.length === 0 ? "holds" : "does not hold"}: ${text}`,
    ...evidence.flatMap(({ act, args, at, cites, extract, recorded, stamp, why }) => [
      `  ${stamp} cites ${cites}`,
      ...act === null || at === null ? [] : [`    ${act} at ${Print.time(at)}, asked with ${cut(args ?? "")}`],
      ...extract === null ? [`    not so: ${why}`] : [`    taken again: ${cut(extract)}`],
      ...recorded === null ? [] : Print.quoted(cut(recorded))
    ]),
    ...objections.map((objection) => `  objection: ${objection}`)
  ])
  return [...head(view), ...claims].join("\n")
}

const listed = (list: ReadonlyArray<Operations.ProposalSummary>): string =>
  list.length === 0 ? "no proposals" : Print.table(
    ["session", "actor", "severity", "confidence", "title"],
    list.map(({ actor, confidence, session, severity, title }) => [
      session,
      actor,
      severity,
      `${Math.round(confidence * 100)}%`,
      title
    ])
  )

/** Characters of one text that are printed. */
const maxShown = 600

const cut = (text: string): string => {
  return text.length <= maxShown ? text : `${text.slice(0, maxShown)} … (--json shows all)`
}

/** The command. */
export const proposal = Command.make("proposal").pipe(
  Command.withDescription("See what agents proposed, and the evidence for each claim"),
  Command.withSubcommands([
    Command.make(
      "list",
      { data, json },
      (options) => run(options, (client) => client.proposals_list({}), listed)
    ).pipe(Command.withDescription("List proposals, the latest first")),
    looking("show", "Show the proposals of a session and those below it, with what each claim cites", shown),
    looking("explain", "Show what was recorded behind each claim, and whether it holds", explained)
  ])
)
