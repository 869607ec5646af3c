/**
 * Labels as types, for programs: a value that came from a stranger, and one that may be relied on. They are brands, so that
 * both are still the value; a parameter that asks for `Trusted` takes nothing but that.
 */
import { type Brand, Schema } from "effect"

/** What only trusted values carry. */
export type TrustedBrand = Brand.Brand<"aosiq/trust/Trusted">
/** What a stranger's values carry. */
export type UntrustedBrand = Brand.Brand<"aosiq/trust/Untrusted">

/** A value with its label. */
export type Labelled<A, L extends "trusted" | "untrusted"> = L extends "trusted" ? A & TrustedBrand : A & UntrustedBrand
export type Trusted<A> = Labelled<A, "trusted">
export type Untrusted<A> = Labelled<A, "untrusted">

/** Marks what a stranger said. It costs nothing, and there is no way back but to endorse. */
export const untrusted = <A>(value: A): Untrusted<A> => value as Untrusted<A> // A brand is in types alone.

/** A text of a result that is a stranger's: what a program gets back fits no trusted parameter. */
export const UntrustedText = Schema.String.pipe(Schema.brand("aosiq/trust/Untrusted"))

/** A parameter that takes trusted texts alone. The rules on labels look at it again when it is called. */
export const TrustedText = Schema.String.pipe(Schema.brand("aosiq/trust/Trusted"))
