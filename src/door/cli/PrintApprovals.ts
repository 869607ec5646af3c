/** Tickets, decisions and standing rules, as text for a terminal. What others wrote stands behind bars. */
import { Option, Schema } from "effect"
import type { Rule, Ticket } from "../../approval/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import type { Operations } from "../../operator/index.ts"
import { argumentsOf, costs, lines, many, quoted, standing, table, time } from "./Print.ts"

/** The tickets, newest last. */
export const tickets = (list: ReadonlyArray<Ticket.Ticket>): string =>
  list.length === 0
    ? "no tickets"
    : table(
      ["ticket", "state", "act", "expires (UTC)", "session"],
      list.map((ticket) => [ticket.id, ticket.state, ticket.act, time(ticket.expiresAt), ticket.session])
    )

/** All that an approver decides on. */
export const ticket = (value: Ticket.Ticket): string =>
  lines([
    `ticket     ${value.id} (${value.state})`,
    ...described(value.act, value.shown.description),
    `asked by   ${value.bound.actor}, in session ${value.session}`,
    `caller     ${value.shown.caller}`,
    `cost       up to ${MicroUsd.format(value.shown.estimateMicroUsd)}`,
    `expires    ${time(value.expiresAt)} UTC`,
    ...value.votes.map(vote),
    `definition ${value.bound.schema}`,
    `binding    ${value.binding}`,
    "reasons, in the actor's words",
    ...(value.shown.reasons === "" ? ["  none given"] : quoted(value.shown.reasons)),
    ...(value.shown.provenance === undefined
      ? []
      : ["where arguments come from", ...value.shown.provenance.map((line) => `  ${line}`)]),
    "evidence",
    ...(value.shown.evidence.length === 0 ? ["  none cited"] : value.shown.evidence.flatMap(cited)),
    "arguments",
    ...argumentsOf(value.shown.args)
  ])

/** The same, with the accounts as they stand now. */
export const shown = ({ accounts, ticket: value }: Operations.TicketView): string =>
  [ticket(value), "accounts, as they stand now", indented(costs(accounts))].join("\n")

/** What is about to be decided, one after the other, and how many. */
export const batch = (list: ReadonlyArray<Ticket.Ticket>, approve: boolean, by: string): string =>
  [
    `${many(list.length, "ticket")} to be ${approve ? "approved" : "denied"} by ${by}`,
    ...list.map((one) => `\n${ticket(one)}`)
  ].join("\n")

/** What came of decisions, ticket by ticket, and of the sessions that go on. */
export const decisions = ({ decided, runs, stalled, undecided }: Operations.DecisionsView, by: string): string =>
  lines([
    ...(decided.length + undecided.length === 0 ? ["nothing was decided"] : []),
    ...decided.map(({ id, state }) =>
      state === "proposed"
        ? `ticket ${id} has one more vote, by ${by}; it waits for more people`
        : `ticket ${id} ${state} by ${by}`
    ),
    ...undecided.map(({ detail, ticket }) => `ticket ${ticket} NOT decided: ${detail}`),
    ...runs.flatMap((run) => [
      `session ${run.session} ${standing(run)}`,
      ...Option.toArray(Option.map(decodeSaved(run.result), (result) => `the proposal was saved as ${result.ticket}`))
    ]),
    ...stalled.map(({ detail, session }) => `session ${session} did NOT go on: ${detail}`),
    ...(decided.length + undecided.length > 1
      ? [`${decided.length} of ${many(decided.length + undecided.length, "ticket")} decided`]
      : [])
  ])

/** The rules, newest last. */
export const rules = (list: ReadonlyArray<Operations.RuleView>): string =>
  list.length === 0
    ? "no rules"
    : table(
      ["rule", "state", "act", "class", "used", "expires (UTC)", "by"],
      list.map(({ rule, standing }) => [
        rule.id,
        standing,
        rule.terms.act,
        rule.terms.actor,
        `${rule.uses} of ${rule.terms.maxUses}`,
        time(rule.terms.expiresAt),
        rule.votes.map(({ by }) => by).join(", ")
      ])
    )

/** All that a rule approves, and all that it approved. */
export const rule = ({ rule, standing, uses }: Operations.RuleView): string =>
  [
    `rule       ${rule.id} (${standing})`,
    ...terms(rule.terms),
    `policy     ${rule.policy}`,
    ...rule.votes.map(vote),
    ...(rule.revoked === null ? [] : [`revoked    by ${rule.revoked.by}, ${time(rule.revoked.at)} UTC`]),
    `binding    ${rule.binding}`,
    `used       ${rule.uses} of ${rule.terms.maxUses}`,
    ...uses.map(({ at, seq, session, use }) => `  ${use}  ${time(at)} UTC  ${session}/${seq}`)
  ].join("\n")

/** A rule that people changed, in a sentence. */
export const ruled = ({ id, state, terms }: Rule.Rule): string => {
  switch (state) {
    case "proposed":
      return `rule ${id} waits for more people: aosiq approvals rules approve ${id}`
    case "standing":
      return `rule ${id} stands: ${many(terms.maxUses, "act")} of ${terms.act} until ${time(terms.expiresAt)} UTC`
    case "revoked":
      return `rule ${id} is revoked: no act begins by it any more`
  }
}

// internal

/** What a diagnosis says about the file it saved. */
const decodeSaved = Schema.decodeUnknownOption(Schema.Struct({ ticket: Schema.String }))

/** An act, with what its tool says of itself; that may be a stranger's. */
const described = (act: string, description: string): ReadonlyArray<string> =>
  description.includes("\n") ? [`act        ${act}`, ...quoted(description)] : [`act        ${act}: ${description}`]

const indented = (text: string): string => text.split("\n").map((line) => `  ${line}`).join("\n")

/** What a person said, in one line, and without control characters. */
const vote = ({ approve, at, by, reason }: Ticket.Vote): string =>
  `decided    ${approve ? "approved" : "denied"} by ${by}, ${time(at)} UTC${
    reason === "" ? "" : `: ${JSON.stringify(reason)}`
  }`

const cited = ({ act, preview, stamp, trust }: Ticket.Cited): ReadonlyArray<string> =>
  act === null
    ? [`  ${JSON.stringify(stamp)} is NO EVIDENCE: ${preview}`]
    : [`  ${stamp}  ${act}, ${trust}`, ...quoted(preview)]

const terms = ({ act, actor, capabilities, definition, expiresAt, where }: Rule.Terms): ReadonlyArray<string> => [
  `act        ${act === "*" ? "any" : act}${definition === null ? "" : `, as defined by ${definition}`}`,
  `class      ${actor === "*" ? "any" : actor}`,
  `within     ${capabilities.join(", ")}`,
  ...where.map(({ at, oneOf }) =>
    `where      ${at === "" ? "all arguments" : at} is ${oneOf.map((value) => JSON.stringify(value)).join(" or ")}`
  ),
  `expires    ${time(expiresAt)} UTC`
]
