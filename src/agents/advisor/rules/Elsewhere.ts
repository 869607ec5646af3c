/** Faults that are none of the six. They are named and shown; proposing to act on them is for people who know them. */
import { breaches, broken, type CaseFile, claims, type Elsewhere, patterns, readings } from "../CaseFile.ts"

interface Kind {
  readonly nature: string
  readonly matching: RegExp
  readonly severity: Elsewhere["severity"]
}

/** What systems say of faults that have specialists of their own. */
const kinds: ReadonlyArray<Kind> = [
  {
    nature: "failover",
    matching: /fail ?over|is being promoted|promoted to|health check fail/i,
    severity: "high"
  },
  {
    nature: "restart or outage of the instance",
    matching: /(?<!to be )\b(?:restarted|rebooted|crash recovery|shutting down)\b/i,
    severity: "high"
  },
  { nature: "out of memory", matching: /out of memory|oom[- ]kill/i, severity: "critical" },
  {
    nature: "certificate or authentication failure",
    matching: /certificate (?:has )?expired|x509|tls handshake (?:error|failed)|password authentication failed/i,
    severity: "high"
  },
  {
    nature: "network failure",
    matching: /no route to host|network is unreachable|name resolution|temporary failure in name/i,
    severity: "high"
  },
  { nature: "hardware failure", matching: /i\/o error|uncorrectable|machine check|bad sector/i, severity: "critical" }
]
const lag = /replication lag|replica\S* .{0,60}behind|replay is behind/i
/** How long before the measurements a line may stand and still be about the same incident, milliseconds. */
const leadMs = 900_000

export const elsewhere = (file: CaseFile): ReadonlyArray<Elsewhere> =>
  [replication(file), ...kinds.map((kind) => reported(file, kind))].flatMap((found) => found ?? [])

const replication = (file: CaseFile): Elsewhere | null => {
  const behind = breaches(file, "db.replication_lag")
  const said = patterns(file, lag)
  if (behind.length === 0 && said.length === 0) return null
  if (behind.length === 0 && readings(file, "db.replication_lag").some(({ value }) => value.points > 1)) return null
  const writes = readings(file, "db.wal_bytes", "io.write_ops").filter(({ value }) => value.trend === "rising")
  const statements = readings(file, "db.load_by_statement").toSorted((a, b) => b.value.last - a.value.last).slice(0, 2)
  return {
    nature: "replication lag",
    strength: behind.length === 0
      ? 0.8
      : Math.min(0.97, 0.9 + (said.length > 0 ? 0.04 : 0) + (writes.length > 0 ? 0.03 : 0)),
    severity: "high",
    summary: writes.length > 0
      ? "The replica falls behind: replication lag grows while the primary runs a write-heavy workload and its WAL grows faster than the replica replays it."
      : "The replica falls behind: replication lag grows; the evidence does not say what the replica waits for.",
    claims: claims([...behind, ...said, ...writes, ...statements], 8)
  }
}

const reported = (file: CaseFile, kind: Kind): Elsewhere | null => {
  const from = broken(file)?.from
  const said = patterns(file, kind.matching).filter(({ value }) =>
    from === undefined || value.last === null || value.last >= from - leadMs
  )
  if (said.length === 0) return null
  return {
    nature: kind.nature,
    strength: Math.min(0.9, 0.75 + 0.05 * said.length),
    severity: kind.severity,
    summary: `The log reports: ${said.slice(0, 4).map(({ value }) => value.sample).join(" ")}`,
    claims: claims(said)
  }
}
