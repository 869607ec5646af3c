/**
 * What the tools of a simulation did, in order: the truth that the chains are held against. Nothing is ever taken back. An
 * entry is written in the instant in which its effect happens, whatever becomes of the process afterwards.
 */

/** How a tool answered, or would have, had anybody been there to hear it. */
export type Answer =
  | { readonly _tag: "succeeded"; readonly value: string }
  | { readonly _tag: "failed"; readonly why: string }
  | { readonly _tag: "broke down" }

/** One effect. */
export interface Entry {
  readonly number: number
  readonly at: number
  readonly process: string
  readonly tool: string
  readonly order: string
  /** Of the permit: the row that says that this act was about to start. */
  readonly stamp: string
  readonly answer: Answer
}

/** All effects. */
export class Ledger {
  readonly entries: Array<Entry> = []
  readonly #written: (entry: Entry) => void

  constructor(written: (entry: Entry) => void) {
    this.#written = written
  }

  /** Writes down that it happened. */
  write(entry: Omit<Entry, "number">): Entry {
    const whole = { ...entry, number: this.entries.length }
    this.entries.push(whole)
    this.#written(whole)
    return whole
  }
}
