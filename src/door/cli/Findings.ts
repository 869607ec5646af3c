/** `aosiq audit findings`: what detectors found in what tools answered, and which sessions have drifted. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import type { Row } from "../../audit/index.ts"
import { data, json, run } from "./Ask.ts"
import * as Print from "./Print.ts"
import type { Client } from "./Runtime.ts"

/** A row that somebody should look at. */
export interface Noticed {
  readonly stamp: string
  readonly at: number
  readonly actor: string
  /** The act whose result it is; `null` where the session has drifted. */
  readonly act: string | null
  readonly detected: Row.Detected | null
  readonly drift: { readonly score: number; readonly threshold: number; readonly steps: number } | null
}

/** What is worth a look in the rows of a session. */
export const noticed = (rows: ReadonlyArray<Row.Row>, actor: string): ReadonlyArray<Noticed> =>
  rows.flatMap(({ at, body, seq, session }): ReadonlyArray<Noticed> => {
    const where = { stamp: `${session}/${seq}`, at, actor }
    if (body.kind === "drifted") {
      const { score, steps, threshold } = body
      return [{ ...where, act: null, detected: null, drift: { score, steps, threshold } }]
    }
    return (body.kind === "outcome" || body.kind === "settled") && body.detected?.isSuspicious === true
      ? [{ ...where, act: body.act, detected: body.detected, drift: null }]
      : []
  })

export const findings = Command.make(
  "findings",
  { data, json },
  (options) =>
    run(options, ask, (all) =>
      all.length === 0
        ? "nothing found"
        : all.map(line).join("\n"))
).pipe(
  Command.withDescription("What detectors found in what tools answered, by place, and which sessions have drifted")
)

// internal

const ask = Effect.fnUntraced(function*(client: Client) {
  const sessions = yield* client.sessions_list({})
  const all = yield* Effect.forEach(
    sessions,
    ({ actor, id }) => Effect.map(client.session_rows({ session: id }), (rows) => noticed(rows, actor))
  )
  return all.flat()
})

/** By rule and place; the text itself is the attacker's, and is not printed. */
const line = ({ act, actor, at, detected, drift, stamp }: Noticed): string =>
  [
    `${Print.time(at)} ${stamp} ${actor}: ${
      detected === null
        ? `drifted, score ${drift?.score} from ${drift?.threshold} on, after ${drift?.steps} acts`
        : `${act}: ${Print.suspicion(detected)}`
    }`,
    ...(detected?.findings ?? []).map(({ because, end, path, rule, start, strength, via }) =>
      `  ${strength} ${rule} (${via}) at ${path === "" ? "the result" : path}, ${start} to ${end}` +
      (because === undefined ? "" : `: ${because.join(", ")}`)
    )
  ].join("\n")
