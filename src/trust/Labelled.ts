/**
 * Labels as types, for programs: a value that came from a stranger, and one that may be relied on. They are brands, so that
 * both are still the value; a parameter that asks for `Trusted` takes nothing but that.
 */
import { type Brand, Schema } from "effect"
import type * as Label from "./Label.ts"

/** What only trusted values carry. */
export type TrustedBrand = Brand.Brand<"aosiq/trust/Trusted">
/** What a stranger's values carry. */
export type UntrustedBrand = Brand.Brand<"aosiq/trust/Untrusted">

/** A value with its label. */
export type Labelled<A, L extends "trusted" | "untrusted"> = L extends "trusted" ? A & TrustedBrand : A & UntrustedBrand
export type Trusted<A> = Labelled<A, "trusted">
export type Untrusted<A> = Labelled<A, "untrusted">

/**
 * A value as its tool declares it: every text in it carries its label. `trusted` and `untrusted` are for all of it; field by
 * field a text is trusted where its very path is, with `*` for places in lists, and else a stranger's. What has methods stays
 * as it is. Without a declaration that the compiler knows, nothing is said.
 */
export type Declared<A, D extends Label.Declared> = Label.Declared extends D ? A
  : D extends "trusted" | "untrusted" ? Throughout<A, D>
  : D extends Label.Fields ? ByField<A, D["fields"], "">
  : A

/** Marks what a stranger said. It costs nothing, and there is no way back but to endorse. */
export const untrusted = <A>(value: A): Untrusted<A> => value as Untrusted<A> // A brand is in types alone.

/** A text of a result that is a stranger's: what a program gets back fits no trusted parameter. */
export const UntrustedText = Schema.String.pipe(Schema.brand("aosiq/trust/Untrusted"))

/** A parameter that takes trusted texts alone. The rules on labels look at it again when it is called. */
export const TrustedText = Schema.String.pipe(Schema.brand("aosiq/trust/Trusted"))

// internal

/** What is made of methods is no plain data. */
type Method = (...args: ReadonlyArray<never>) => unknown
type IsPlain<A> = Extract<A[keyof A], Method> extends never ? true : false

type Throughout<A, L extends "trusted" | "untrusted"> = A extends string ? Labelled<A, L>
  : A extends ReadonlyArray<unknown> ? { readonly [K in keyof A]: Throughout<A[K], L> }
  : A extends object ? (IsPlain<A> extends true ? { readonly [K in keyof A]: Throughout<A[K], L> } : A)
  : A

type Below<P extends string, K> = K extends string | number ? (P extends "" ? `${K}` : `${P}.${K}`) : P

type ByField<A, F, P extends string> = A extends string
  ? Labelled<A, P extends keyof F ? (F[P] extends "trusted" ? "trusted" : "untrusted") : "untrusted">
  : A extends ReadonlyArray<infer One> ? ReadonlyArray<ByField<One, F, Below<P, "*">>>
  : A extends object ? (IsPlain<A> extends true ? { readonly [K in keyof A]: ByField<A[K], F, Below<P, K>> } : A)
  : A
