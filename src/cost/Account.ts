/**
 * A ceiling and what was drawn on it. Spending takes two steps: the worst case is reserved before the act, the true cost
 * settled after it. `spent + reserved` never passes `ceiling`, whatever the interleaving, because both steps happen
 * inside the log's transaction with the account locked.
 */
import { Schema } from "effect"

/** One account; a session, an actor class and a caller each have one. Amounts are micro-dollars. */
export const Account = Schema.Struct({
  /** `session:ID`, `class:NAME` or `caller:NAME`. */
  id: Schema.NonEmptyString,
  ceiling: Schema.Natural,
  reserved: Schema.Natural,
  spent: Schema.Natural
})
export type Account = typeof Account.Type

/** An account nobody has drawn on. */
export const open = (id: string, ceiling: number): Account => ({ id, ceiling, reserved: 0, spent: 0 })

/** What may still be reserved. */
export const left = (account: Account): number => Math.max(0, account.ceiling - account.reserved - account.spent)

/** The account with `amount` held back; `null` when it does not fit. */
export const reserve = (account: Account, amount: number): Account | null =>
  amount > left(account) ? null : { ...account, reserved: account.reserved + amount }

/** The account after an act that reserved `reserved` and cost `spent`. A bill above its reservation is paid in full. */
export const settle = (account: Account, reserved: number, spent: number): Account => ({
  ...account,
  reserved: Math.max(0, account.reserved - reserved),
  spent: account.spent + spent
})
