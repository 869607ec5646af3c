/** Connection pool exhaustion: sessions reach the limit, or clients are turned away. */
import { type CaseFile, claims, type Fact, type Hypothesis, patterns, readings } from "../CaseFile.ts"
import type { Pattern } from "../LogDigest.ts"

/** Share of the limit at which a pool counts as exhausted. */
const nearLimit = 0.9
const refusals =
  /too many (?:clients|connections)|remaining connection slots|max_connections|connection pool|connection limit|could not (?:obtain|get) a? ?connection|pool (?:exhausted|timed? ?out)|approaching (?:the )?(?:connection limit|maximum)|new connections (?:may be |are )?(?:refused|rejected)/i
/** `connections: 469 of 500`, `4948 connections, approaching the maximum of 5000`: the limit, where a line states it. */
const statedLimit =
  /connections?\D{0,40}?\d+ ?(?:of|\/) ?(\d+)|connections\D{0,40}?(?:maximum|limit|max) (?:of )?(\d+)/i

export const connectionPool = (file: CaseFile): Hypothesis | null => {
  const open = readings(file, "db.connections")
  const refused = patterns(file, refusals)
  const limit = limitOf(file, refused)
  const near = limit === null ? [] : open.filter(({ value }) => value.last >= limit * nearLimit)
  const climbing = open.filter(({ value }) => value.trend === "rising")
  const idle = [
    ...readings(file, "db.connections_idle_in_transaction").filter(({ value }) => value.breached),
    ...waitingForClients(file)
  ]
  if (near.length === 0 && refused.length === 0) return null
  const isSteady = open.length > 0 && near.length === 0 && climbing.length === 0
  if (isSteady && limit !== null) return null
  const strength = near.length > 0 ? 0.9 + (refused.length > 0 ? 0.05 : 0) : climbing.length > 0 ? 0.75 : 0.6
  return {
    scenario: "connection_pool_exhaustion",
    strength,
    severity: near.length > 0 ? "critical" : "high",
    title: "The connection pool is exhausted",
    summary: near.length === 0
      ? "Clients are turned away because no connection slots are left."
      : `Connections reached max_connections${
        idle.length > 0
          ? "; most client sessions are idle and hold their slot, which points to a connection pool leak"
          : ""
      }.`,
    claims: claims([...near, ...climbing.filter((fact) => !near.includes(fact)), ...refused, ...idle]),
    actions: [
      {
        what: "Bound the pools of the clients, and close sessions that idle in a transaction",
        why: "slots that nobody uses keep others out",
        reversible: true,
        how: "ALTER SYSTEM SET idle_in_transaction_session_timeout = '60s'"
      },
      {
        what: "Look for the client whose sessions grow and do not return",
        why: "a leak refills any limit that is raised",
        reversible: true,
        how: "SELECT usename, client_addr, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC"
      }
    ],
    risks: ["Terminating sessions aborts the work they hold.", "Raising max_connections costs memory for each slot."]
  }
}

const limitOf = (file: CaseFile, refused: ReadonlyArray<Fact<Pattern>>): number | null => {
  const measured = readings(file, "db.connections_max")[0]?.value.last
  if (measured !== undefined) return measured
  const stated = refused.flatMap(({ value }) =>
    statedLimit.exec(value.sample)?.slice(1).find((group) => group !== undefined) ?? []
  )
  return stated.length === 0 ? null : Math.max(...stated.map(Number))
}

/** Load that waits for its client to say something is a session held open for nothing. */
const waitingForClients = (file: CaseFile) =>
  readings(file, "db.load_by_wait").filter(({ value }) => /client:?\s?client ?read|idle/i.test(value.resource)).slice(
    0,
    2
  )
