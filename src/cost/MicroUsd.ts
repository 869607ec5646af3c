/** Money, everywhere in the product: whole millionths of a US dollar, never negative, never a fraction. */
import { Schema } from "effect"

/** Whole millionths of a US dollar. */
export const MicroUsd = Schema.Natural.pipe(Schema.brand("MicroUsd"))
export type MicroUsd = typeof MicroUsd.Type

/** Nothing. */
export const zero: MicroUsd = MicroUsd.make(0)

/** From dollars, rounded up to the next millionth: a reservation is never too small. */
export const fromUsd = (usd: number): MicroUsd => MicroUsd.make(Math.ceil(Math.max(0, usd) * 1_000_000 - 1e-6))

/** `$0.001234`, without trailing zeros beyond the cent. */
export const format = (amount: number): string => `$${(amount / 1_000_000).toFixed(6).replace(/(\.\d\d\d*?)0+$/, "$1")}`
