/**
 * Proof that the Governor admitted this act, now, for these capabilities. A handler takes one, so code that calls a
 * handler around the Governor does not compile; and only the Governor can make one, so a forged one is not recognised.
 */
import type { Types } from "effect"
import type { Row } from "../audit/index.ts"

let issued: <N extends string>(stamp: Row.Stamp, act: string, idempotencyKey: () => string) => Permit<N>
/** The act of each permit that nobody has redeemed. A constructor is private to the compiler only. */
const open = new WeakMap<object, string>()

/** What a handler holds while its act runs: the capabilities it may use and the stamp of its intent. */
export class Permit<in out N extends string> {
  declare readonly _Capabilities: Types.Invariant<N>
  /** Makes the type nominal: an object of the same shape is not a permit. */
  declare protected readonly _issued: true
  /** The row that says this act was about to start. */
  readonly stamp: Row.Stamp
  readonly #idempotencyKey: () => string
  private constructor(stamp: Row.Stamp, idempotencyKey: () => string) {
    this.stamp = stamp
    this.#idempotencyKey = idempotencyKey
  }
  /** The same in every attempt at this act and in its probe, and no other act's: hexadecimal, 64 digits. */
  get idempotencyKey(): string {
    return this.#idempotencyKey()
  }
  /** Whether the Governor of this process issued the value for `act`, and nobody has redeemed it before. */
  static redeem(value: unknown, act: string): boolean {
    return typeof value === "object" && value !== null && open.get(value) === act && open.delete(value)
  }
  static {
    issued = <N extends string>(stamp: Row.Stamp, act: string, idempotencyKey: () => string) => {
      const permit = new Permit<N>(stamp, idempotencyKey)
      open.set(permit, act)
      return permit
    }
  }
}

/** For the Governor alone: the room's door does not export it. */
export const issue = <N extends string>(stamp: Row.Stamp, act: string, idempotencyKey: () => string): Permit<N> =>
  issued(stamp, act, idempotencyKey)
