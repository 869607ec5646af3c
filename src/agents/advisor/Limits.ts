/**
 * When a signal counts as broken. The figures are the field's common alerting thresholds; a limit may be absolute, a
 * multiple of the signal's own level before, or both, in which case both must hold.
 */
import type { Signal } from "./Source.ts"

/** In the unit of the signal; `times` is a multiple of the level before. */
export interface Limit {
  readonly above?: number
  readonly below?: number
  readonly times?: number
}

/** Source: node-exporter and PostgreSQL mixins' default alerts, SRE workbook ch. 5. */
export const limits: { readonly [S in Signal]?: Limit } = {
  "disk.used_ratio": { above: 0.9 },
  "disk.queue_depth": { above: 5, times: 3 },
  "inode.used_ratio": { above: 0.9 },
  "memory.available_ratio": { below: 0.05 },
  "swap.used_ratio": { above: 0.8 },
  "cpu.utilisation": { above: 0.8 },
  "load.per_core": { above: 2 },
  "fd.used_ratio": { above: 0.9 },
  "process.zombies": { above: 50 },
  "io.read_latency": { above: 0.02, times: 3 },
  "io.write_latency": { above: 0.02, times: 3 },
  "db.commit_latency": { above: 0.02, times: 3 },
  "db.lock_waiters": { above: 5 },
  "db.longest_transaction": { above: 3600 },
  "db.connections_idle_in_transaction": { above: 20 },
  "db.replication_lag": { above: 60 },
  "db.deadlocks": { above: 5 },
  "queue.depth": { above: 100, times: 2 },
  "queue.oldest_age": { above: 300 },
  "request.error_ratio": { above: 0.05 },
  "request.latency": { above: 0.5, times: 2 }
}
