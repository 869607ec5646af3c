/**
 * What the tools of a simulation did, in order: the truth that the chains are held against. Nothing is ever taken back. An
 * entry is written in the instant in which its effect happens, whatever becomes of the process afterwards.
 */

/** How a tool answered, or would have, had anybody been there to hear it. What failed had no effect. */
export type Answer =
  | { readonly _tag: "succeeded"; readonly value: string }
  | { readonly _tag: "failed"; readonly why: string }
  /** It happened, and then the handler died. */
  | { readonly _tag: "broke down"; readonly value: string }

/** One effect. */
export interface Entry {
  readonly number: number
  readonly at: number
  readonly process: string
  readonly tool: string
  readonly order: string
  /** Of the permit: the row that says that this act was about to start. */
  readonly stamp: string
  /** Of the permit: the same in every attempt at the act. */
  readonly key: string
  readonly answer: Answer
}

/** All effects. */
export class Ledger {
  readonly entries: Array<Entry> = []
  /** Attempts whose handler is at work, by stamp. */
  readonly busy = new Set<string>()
  readonly #written: (entry: Entry) => void
  readonly #byKey = new Map<string, Entry>()
  /** Keys of acts that were found not to have happened, and the row since when they may not. */
  readonly #void = new Map<string, number>()

  constructor(written: (entry: Entry) => void) {
    this.#written = written
  }

  /** Writes down that it happened. */
  write(entry: Omit<Entry, "number">): Entry {
    const whole = { ...entry, number: this.entries.length }
    this.entries.push(whole)
    if (entry.answer._tag !== "failed") this.#byKey.set(entry.key, whole)
    this.#written(whole)
    return whole
  }

  /** What happened under the key of an act. */
  known(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  /** Whether an attempt comes too late: somebody was told that the act had not happened, and may have done it since. */
  isVoid({ key, stamp }: Pick<Entry, "key" | "stamp">): boolean {
    return seqOf(stamp) < (this.#void.get(key) ?? 0)
  }

  /** No attempt that began before `stamp` can take effect any more. */
  forbid(key: string, stamp: string): void {
    this.#void.set(key, seqOf(stamp))
  }
}

// internal

const seqOf = (stamp: string) => Number(stamp.slice(stamp.lastIndexOf("/") + 1))
