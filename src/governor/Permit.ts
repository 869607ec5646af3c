/**
 * Proof that the Governor admitted this act, now, for these capabilities. A handler takes one, so code that calls a
 * handler around the Governor does not compile; and only the Governor can make one, so a forged one is not recognised.
 */
import type { Types } from "effect"
import type { Row } from "../audit/index.ts"

let issued: <N extends string>(stamp: Row.Stamp) => Permit<N>

/** What a handler holds while its act runs: the capabilities it may use and the stamp of its intent. */
export class Permit<in out N extends string> {
  declare readonly _Capabilities: Types.Invariant<N>
  /** The row that says this act was about to start. */
  readonly stamp: Row.Stamp
  readonly #issued = true
  private constructor(stamp: Row.Stamp) {
    this.stamp = stamp
  }
  /** Whether the value was issued by the Governor of this process. */
  static isIssued(value: unknown): boolean {
    return typeof value === "object" && value !== null && #issued in value && value.#issued
  }
  static {
    issued = (stamp) => new Permit(stamp)
  }
}

/** For the Governor alone: the room's door does not export it. */
export const issue = <N extends string>(stamp: Row.Stamp): Permit<N> => issued(stamp)
