/** The orders that a process is killed over: which tool pays them, where it stops, and what an operator says of them. */
export type Choice = "retry" | "done" | "not_done"

export const orders: ReadonlyArray<{
  readonly order: string
  readonly kind: "plain" | "keyed" | "probed"
  readonly stops: "before" | "after"
  /** What an operator says, for those that nothing else can tell. */
  readonly choice?: Choice
}> = [
  { order: "plain-before-retry", kind: "plain", stops: "before", choice: "retry" },
  { order: "plain-after-retry", kind: "plain", stops: "after", choice: "retry" },
  { order: "plain-after-done", kind: "plain", stops: "after", choice: "done" },
  { order: "plain-before-not-done", kind: "plain", stops: "before", choice: "not_done" },
  { order: "keyed-before", kind: "keyed", stops: "before" },
  { order: "keyed-after", kind: "keyed", stops: "after" },
  { order: "probed-before", kind: "probed", stops: "before" },
  { order: "probed-after", kind: "probed", stops: "after" }
]
