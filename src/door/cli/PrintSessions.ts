/** Sessions, their rows and their ends, for people. */
import type { Schema } from "effect"
import type { Row } from "../../audit/index.ts"
import type { Operations } from "../../operator/index.ts"
import * as Print from "./Print.ts"
import type { Watched } from "./Runtime.ts"

/** The actors that can be dispatched. */
export const agents = (list: ReadonlyArray<Operations.AgentView>): string =>
  list.length === 0
    ? "no actor can be dispatched"
    : Print.table(
      ["actor", "needs", "what it is for"],
      list.map(({ capabilities, description, name }) => [name, capabilities.join(" ") || "-", description])
    )

/** How one stands. */
export const session = ({ actor, caller, id, parent, rows, startedAt, status }: Operations.SessionView): string =>
  [
    `session   ${id}`,
    `actor     ${actor}`,
    `status    ${status}`,
    `caller    ${caller}`,
    ...parent === null ? [] : [`parent    ${parent}`],
    `started   ${Print.time(startedAt)} UTC`,
    `rows      ${rows}`
  ].join("\n")

/** A row, with what it says to a person. */
export const row = (value: Row.Row): string =>
  [
    `${Print.time(value.at)}  ${value.session}/${value.seq}  ${value.body.kind}`,
    Print.progress(value, "")?.replace(/^: /, "")
  ].filter((part) => part !== undefined).join("  ")

/** Rows, in order. */
export const rows = (list: ReadonlyArray<Row.Row>): string => list.length === 0 ? "no rows" : list.map(row).join("\n")

/** What a session ended with. */
export const result = (value: Schema.Json | null): string => JSON.stringify(value, null, 2)

/** What a watcher sees; what says nothing to a person is left out. */
export const event = (session: string, watched: Watched): string | undefined => {
  if (watched.event === "end") return `${session} ${watched.data.status}`
  const line = Print.progress(watched.data, "")?.replace(/^: /, "")
  return line === undefined ? undefined : `${Print.time(watched.data.at)} ${line}`
}

/** What a session came to that was waited for. */
export const outcome = (
  { result: value, session: view }: {
    readonly session: Operations.SessionView
    readonly result: Schema.Json | null
  }
): string =>
  [
    `${view.id} ${view.status === "waiting" ? "waits; see: aosiq approvals list, aosiq unknown list" : view.status}`,
    ...value === null ? [] : [result(value)]
  ].join("\n")
