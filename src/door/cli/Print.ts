/** Text for a terminal. One value, one way to write it. */
import { Option, Schema } from "effect"
import { Unfinished } from "../../actor/index.ts"
import { type Advice, Render } from "../../agents/advisor/index.ts"
import type { Alerts, Row } from "../../audit/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import type { Operations } from "../../operator/index.ts"
import type { DeadLetter, Firing, Schedule } from "../../session/index.ts"

/**
 * Text as it may go to a terminal. Lines of logs, words of models and names of files are anybody's: what would move the
 * cursor, change colours, break a line, turn the reading order or stay unseen is written as its code instead.
 */
export const plain = (text: string): string =>
  text.replace(
    /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]|(?![\uFE0E\uFE0F])\p{DI}/gu,
    (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`
  )

/** JSON for programs, on one line unless it is indented. Controls that JSON leaves as they are are escaped: it may go to a terminal. */
export const json = (value: unknown, indent = 0): string =>
  JSON.stringify(value, null, indent).replace(
    /[\u007f-\u009f]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** A text as one line: others write names and reasons, and a line of theirs is none of the command's. */
export const line = (text: string): string => text.replaceAll("\n", "\\u{a}")

/** Lines, of which none is two. */
export const lines = (list: ReadonlyArray<string>): string => list.map(line).join("\n")

/** A text of others, each of its lines behind a bar, so that none of it passes for words of the command's own. */
export const quoted = (text: string): ReadonlyArray<string> =>
  text.split(/\r\n|[\n\r\u2028\u2029]/u).map((line) => `    | ${line}`.trimEnd())

/** The arguments of an act, to the letter: a text of several lines behind bars, everything else as JSON. */
export const argumentsOf = (text: string): ReadonlyArray<string> =>
  Option.match(decodeArguments(text), {
    onNone: () => quoted(text),
    onSome: (values) =>
      Object.entries(values).flatMap(([name, value]) => {
        const label = /^[\w.-]+$/.test(name) ? name : JSON.stringify(name)
        return typeof value === "string" && value.includes("\n")
          ? [`  ${label}`, ...quoted(value)]
          : [`  ${label.padEnd(8)} ${JSON.stringify(value)}`]
      })
  })

/** Columns, padded to their widest cell; a row is one line. */
export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const all = [head, ...rows].map((row) => row.map(line))
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

/** A word as a shell takes it, quoted where it must be. */
export const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** ISO 8601, UTC, to the second. */
export const time = (at: number): string =>
  new globalThis.Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone: "UTC"
  }).format(at)

/** The proposal with the notice that stands beside it. */
export const advice = (value: Advice.Advice): string => Render.markdown(value)

/** How a run that went on stands now. */
export const standing = ({ detail, status }: Omit<Operations.RunView, "result">): string => {
  switch (status) {
    case "succeeded":
      return "went on and succeeded"
    case "waiting":
      return `went on and waits for ticket ${detail}`
    case "unsettled":
      return `went on and waits for what became of ${detail}`
    case "sleeping":
      return `went on and sleeps until ${detail}`
    case "paused":
      return "is paused"
    case "cancelled":
      return `is ended: ${detail}`
    case "failed":
      return `went on and ended: ${detail}`
  }
}

/** What a run had come to that was stopped. What its model said stands behind bars. */
export const unfinished = (partial: Schema.Json): string =>
  Option.match(decodeUnfinished(partial), {
    onNone: () => ["what it had come to, unchecked:", ...quoted(JSON.stringify(partial, null, 2))].join("\n"),
    onSome: ({ actor, draft, evidence, said, steps }) =>
      [
        `what ${actor} had come to after ${many(steps, "model call")}, unchecked:`,
        ...evidence.map(({ stamp, tool }) => `  ${tool}, recorded at ${stamp}`),
        ...said === "" ? [] : ["  it said last:", ...quoted(said)],
        ...draft === null ? [] : ["  it drafted:", ...quoted(JSON.stringify(draft, null, 2))]
      ].join("\n")
  })

/** Acts whose outcome was lost. */
export const unknowns = (list: ReadonlyArray<Operations.UnknownOutcome>): string =>
  list.length === 0
    ? "no unknown outcomes"
    : table(
      ["act", "tool", "since (UTC)", "held", "decides"],
      list.map(({ act, id, reservedMicroUsd, reversible, since }) => [
        id,
        act,
        time(since),
        MicroUsd.format(reservedMicroUsd),
        reversible ? "nobody: done again" : "a person"
      ])
    )

/** All that is known of one. */
export const unknown = (value: Operations.UnknownOutcome): string =>
  lines([
    `act        ${value.id}`,
    `tool       ${value.act}${value.reversible ? ", which can be undone: it is done again by itself" : ""}`,
    `session    ${value.session}`,
    `began      ${time(value.begunAt)} UTC`,
    `unknown    since ${time(value.since)} UTC: ${value.detail}`,
    `ticket     ${value.ticket ?? "none"}`,
    `key        ${value.idempotencyKey}`,
    `held       ${MicroUsd.format(value.reservedMicroUsd)}`,
    "arguments",
    ...argumentsOf(value.args)
  ])

/** What was decided about a lost outcome, and what came of it. */
export const settlement =
  (id: string, choice: "retry" | "done" | "not_done") => (run: Operations.RunView | null, by: string): string =>
    lines([
      `${id} ${choice === "retry" ? "is done again" : choice === "done" ? "was done" : "was not done"}, says ${by}`,
      run === null ? "its session is over" : `session ${run.session} ${standing(run)}`
    ])

/** The sessions, oldest first. */
export const sessions = (list: ReadonlyArray<Operations.SessionView>): string =>
  list.length === 0
    ? "no sessions"
    : table(
      ["session", "actor", "status", "rows", "started (UTC)"],
      list.map(({ actor, id, rows, startedAt, status }) => [id, actor, status, String(rows), time(startedAt)])
    )

/** The schedules, by what comes next. */
export const schedules = (list: ReadonlyArray<Schedule.Schedule>): string =>
  list.length === 0
    ? "no schedules"
    : table(
      ["schedule", "state", "actor", "when", "next (UTC)", "last (UTC)"],
      list.map(({ actor, name, state, when }) => [
        name,
        state.isPaused ? "paused" : state.next === null ? "over" : "active",
        actor,
        when.kind === "cron" ? `${when.expression} ${when.zone}` : many(when.instants.length, "instant"),
        state.isPaused || state.next === null ? "-" : time(state.next),
        state.last === null ? "-" : time(state.last)
      ])
    )

/** What a schedule came to, the latest first. */
export const firings = (list: ReadonlyArray<typeof Operations.FiringView.Type>): string =>
  list.length === 0
    ? "it has not come to anything yet"
    : table(
      ["instant (UTC)", "by", "state", "session", "status", "detail"],
      list.map(({ firing: { by, detail, instant, session, state }, status }) => [
        time(instant),
        by ?? "time",
        state,
        status === null ? "-" : session,
        status ?? "-",
        detail
      ])
    )

/** A start by hand. */
export const started = ({ detail, schedule, session, state }: Firing.Firing): string => {
  switch (state) {
    case "skipped":
      return `${schedule} was left out: ${detail}`
    case "waiting":
      return `${schedule} waits for the start before to come to its end; then it runs as ${session}`
    default:
      return `${schedule} is started as ${session}`
  }
}

/** The dead letters, the latest first. */
export const letters = (list: ReadonlyArray<DeadLetter.DeadLetter>): string =>
  list.length === 0
    ? "no dead letters"
    : table(
      ["letter", "state", "about", "filed (UTC)", "session", "reason"],
      list.map(({ at, id, kind, reason, session, state }) => [id, state, kind, time(at), session ?? "-", reason])
    )

/** All that an operator decides on. */
export const letter = (value: DeadLetter.DeadLetter): string =>
  lines([
    `letter     ${value.id} (${value.state})`,
    `about      a ${value.kind}${value.session === null ? "" : ` of session ${value.session}`}`,
    `reason     ${value.reason}`,
    `attempts   ${value.attempts}`,
    `filed      ${time(value.at)} UTC`,
    ...value.by === null || value.decidedAt === null
      ? []
      : [`decided    ${value.state} by ${value.by}, ${time(value.decidedAt)} UTC: ${value.because ?? ""}`],
    "payload",
    ...JSON.stringify(value.payload, null, 2).split("\n").map((line) => `  ${line}`)
  ])

/** The verdict, and what it does not cover. */
export const report = (value: Operations.Report): string =>
  lines([
    value.ok
      ? `chain verified: ${many(value.rows, "row")} of ${many(value.sessions, "session")}, ${
        many(value.anchors, "anchor")
      }`
      : `CHAIN BROKEN: ${many(value.findings.length, "finding")} in ${many(value.sessions, "session")}`,
    ...value.findings.map((finding) => `  ${placed(finding)}: ${finding.detail}`),
    ...value.witnesses.flatMap(({ anchor, at, witness }) =>
      anchor === null || at === null ? [] : [`  co-signed up to anchor ${anchor} by ${witness}, ${time(at)} UTC`]
    ),
    ...value.unchecked.map((gap) => `  not checked: ${gap.detail}`)
  ])

/** Alerts, open ones first. */
export const alerts = (list: ReadonlyArray<Alerts.Alert>): string =>
  list.length === 0 ? "no alerts" : list.map(alert).join("\n")

/** That a chain is broken, and where first. */
export const verdict = (
  { findings: [first] }: Operations.Report
): { readonly detail: string; readonly remedy: string } => ({
  detail: `the chain does not verify${first === undefined ? "" : `: ${placed(first)}`}`,
  remedy: "compare with a bundle or a backup from before; a row is worth no more than the rows under it"
})

/** A bundle that was written, and how others verify it. */
export const exported = (
  { file, keys, lines }: { readonly file: string; readonly lines: number; readonly keys: ReadonlyArray<string> }
): string =>
  [
    `${many(lines, "line")} written to ${file}; without this folder it is verified with:`,
    `  npx aosiq verify ${word(file)}${keys.map((key) => ` --key ${key}`).join("")}`,
    keys.length === 0 ? "it encloses no key" : "tell others the key by another way than the bundle"
  ].join("\n")

/** What was spent, by account. */
export const costs = (accounts: ReadonlyArray<typeof Operations.AccountView.Type>): string =>
  accounts.length === 0
    ? "nothing spent"
    : table(
      ["account", "spent", "reserved", "ceiling"],
      accounts.map(({ ceiling, id, reserved, spent }) => [
        id,
        MicroUsd.format(spent),
        MicroUsd.format(reserved),
        MicroUsd.format(ceiling)
      ])
    )

/** One row of a chain as a line of progress; rows that say nothing to a person give none. */
export const progress = (row: Row.Row, actor: string): string | undefined => {
  const said = saidOf(row, actor)
  return said === undefined ? undefined : line(said)
}

/** What detectors found in a result, by rule: never the text. */
export const suspicion = ({ findings, more, unread }: Row.Detected): string =>
  [
    `SUSPICIOUS by ${[...new Set(findings.map(({ rule }) => rule))].join(", ") || "its length"}`,
    ...more === 0 ? [] : [`${more} more`],
    ...unread === 0 ? [] : [`${many(unread, "character")} unread`]
  ].join(", ")

/** A number of things, in words. */
export const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

// internal

const decodeUnfinished = Schema.decodeUnknownOption(Unfinished.Unfinished)
const decodeArguments = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

const saidOf = ({ body }: Row.Row, actor: string): string | undefined => {
  switch (body.kind) {
    case "intent":
      return `${actor}: ${body.act} …`
    case "outcome":
      return `${actor}: ${body.act} ${body.status} in ${body.computeMs} ms${
        body.detected?.isSuspicious === true ? `: ${suspicion(body.detected)}` : ""
      }`
    case "drifted":
      return `${actor}: has drifted (${body.score} after ${many(body.steps, "act")}) and is paused for people to look`
    case "refusal":
      return `${actor}: ${body.act} REFUSED by ${body.layer}: ${body.reason}`
    case "proposed":
      return `${actor}: ${body.act} waits for approval ${body.ticket}`
    case "decided":
      return `${actor}: ticket ${body.ticket} ${body.decision} by ${body.by}`
    case "endorsed":
      return `${actor}: ${body.by} vouched for something until ${time(body.until)} UTC`
    case "unendorsed":
      return `${actor}: ${body.by} took back what was vouched for`
    case "unknown":
      return `${actor}: what became of ${body.act} is not known`
    case "suspended":
      return body.unknown === undefined ? undefined : `${actor}: waits for what became of ${body.unknown}`
    case "settled":
      return `${actor}: ${body.act} settled by ${body.by}: ${body.choice.replace("_", " ")}`
    case "restarted":
      return `${actor}: broke down and runs again from ${time(body.until)} UTC: ${body.reason}`
    case "escalated":
      return `${actor}: given up and set aside as dead letter ${body.letter}: ${body.reason}`
    case "ended":
      return `${actor}: ${body.status}${body.reason === "" ? "" : `: ${body.reason}`}`
    default:
      return undefined
  }
}

const alert = ({ detail, kind, last, remedy, resolvedAt, since, subject, times }: Alerts.Alert): string =>
  resolvedAt === null
    ? lines([
      `OPEN ${kind} (${subject}): ${detail}`,
      `  since ${time(since)} UTC, ${many(times, "time")}, last ${time(last)} UTC`,
      ...remedy === "" ? [] : [`  remedy: ${remedy}`]
    ])
    : `resolved ${kind} (${subject}): ${time(since)} to ${time(resolvedAt)} UTC`

const placed = ({ kind, seq, session }: Operations.Report["findings"][number]): string =>
  `${kind} at ${session ?? "the anchors"}${seq === null ? "" : `/${seq}`}`
