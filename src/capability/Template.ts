/**
 * Named sets of capabilities, as starting points to narrow from. A template is a grant like any other: it narrows and
 * never widens.
 */
import type { Name } from "./Capability.ts"
import { Grant } from "./Grant.ts"

/** The names each template holds. */
export const templates = {
  /** Reads, and spawns readers; changes nothing. */
  "read-only-advisor": [
    "tool:read_metrics",
    "tool:read_logs",
    "tool:read_settings",
    "spawn:ThresholdEvaluation",
    "spawn:LogQuery",
    "spawn:ConfigIntrospection"
  ],
  /** Reads metrics and writes observations. */
  monitor: ["tool:read_metrics", "tool:read_logs", "memory:write@observations/*"],
  /** Reads a source and writes its own staging area. */
  etl: ["tool:db_query", "memory:read@staging/*", "memory:write@staging/*"],
  /** Tells people; each notification still waits for its approval. */
  notifier: ["tool:notify", "memory:read@observations/*"]
} as const satisfies Record<string, ReadonlyArray<Name>>

/** A grant of the template's names. */
export const grant = <const T extends keyof typeof templates>(
  template: T
): Grant<(typeof templates)[T][number]> => Grant.make<(typeof templates)[T][number]>(templates[template])
