/**
 * A capability is the right to do one kind of thing, by name, to some resource: `kind:name` or `kind:name@resource`.
 *
 * `tool:db_query@reporting_replica`, `memory:write@notes/*`, `spawn:LogQuery`, `net:fetch@*.example.com`,
 * `backend:ollama`. A resource pattern is exact, or carries one `*` at its start or its end. A capability without a
 * resource covers every resource of that name.
 *
 * The same grammar lives twice: as template-literal types, so that a misspelt kind does not compile, and as a Schema, so
 * that a forged token does not decode.
 */
import { Schema, type Types } from "effect"

/** What a capability may be about. */
export const kinds = ["tool", "memory", "spawn", "message", "kb", "net", "backend", "sandbox", "mcp"] as const
export type Kind = (typeof kinds)[number]

/** The written form of a capability. */
export type Name = `${Kind}:${string}`

const grammar = new RegExp(
  `^(${kinds.join("|")}):([A-Za-z][A-Za-z0-9_.-]{0,63})(?:@(\\*?[^\\s*@]{1,255}|[^\\s*@]{0,255}\\*))?$`
)
/** `..` would let a path climb out of the prefix that a pattern grants. */
const climbs = /[@/]\.\.(\/|$)/

/** Whether `text` is a capability; says nothing about whether anyone holds it. */
export const isName = (text: string): text is Name => grammar.test(text) && !climbs.test(text)

/** The one grammar, for tokens, configuration and definitions. */
export const Name: Schema.Codec<Name, string> = Schema.String.pipe(
  Schema.refine(isName, { expected: "a capability `kind:name` or `kind:name@resource`" })
)

/** A marker in `R`: the program exercises this capability. Invariant, so it is never widened by assignment. */
export interface Capability<in out N extends string> {
  readonly _Capability: Types.Invariant<N>
}
/** The markers of a union of names, one by one. */
export type Capabilities<N extends string> = N extends string ? Capability<N> : never
/** The names inside a requirements union. `any` gives `string`, which no grant covers. */
export type Needs<R> = R extends Capability<infer N> ? N : never

type Covers<H extends string, W extends string> = W extends H ? true
  : H extends `${infer Head}@${infer Pattern}`
    ? (W extends `${Head}@${infer Resource}` ? Matches<Pattern, Resource> : false)
  : W extends `${H}@${string}` ? true
  : false
type Matches<Pattern extends string, Resource extends string> = Pattern extends `*${infer Suffix}`
  ? (Resource extends `${string}${Suffix}` ? true : false)
  : Pattern extends `${infer Prefix}*` ? (Resource extends `${Prefix}${string}` ? true : false)
  : false
/** A held name that is known only at run time covers nothing. */
type CoveredBy<Held extends string, W extends string> = Held extends string
  ? ([Open<Held>] extends [never] ? Covers<Held, W> : false)
  : never
/** Members of a union that are not single literals, such as `string`: known only at run time, so never covered. */
export type Open<N extends string> = N extends string ? ({} extends Record<N, 1> ? N : never) : never
/** The wanted names that `Held` does not cover; `never` when all are covered. */
export type Missing<Wanted extends string, Held extends string> = Wanted extends string
  ? true extends CoveredBy<Held, Wanted> ? ({} extends Record<Wanted, 1> ? Wanted : never) : Wanted
  : never
/** Accepts anything when `Names` is empty; else asks for what nothing has, so that the compiler says why and which. */
export type Complaint<Why extends string, Names extends string> = [Names] extends [never] ? unknown
  : { readonly [K in Why]: Names }

/** Requirements left after a grant of `Held` discharged what it covers. */
export type Discharged<R, Held extends string> = R extends Capability<infer N>
  ? [Missing<N, Held> | Open<Held>] extends [never] ? never : R
  : R

interface Parts {
  readonly kind: string
  readonly name: string
  readonly resource: string | undefined
}
const parse = (capability: Name): Parts => {
  const [head = "", resource] = capability.split("@", 2)
  const colon = head.indexOf(":")
  return { kind: head.slice(0, colon), name: head.slice(colon + 1), resource }
}

/** The resource pattern that both `a` and `b` admit; `null` when none is sure to exist. */
const meet = (a: string | undefined, b: string | undefined): string | undefined | null => {
  if (a === undefined || a === "*") return b ?? a
  if (b === undefined || b === "*" || a === b) return a
  if (a.endsWith("*") && b.startsWith(a.slice(0, -1))) return b
  if (b.endsWith("*") && a.startsWith(b.slice(0, -1))) return a
  if (a.startsWith("*") && b.endsWith(a.slice(1)) && !b.endsWith("*")) return b
  if (b.startsWith("*") && a.endsWith(b.slice(1)) && !a.endsWith("*")) return a
  return null
}

/** What `held` and `asked` have in common; never wider than either. `null` when that is nothing, or not a name. */
export const intersect = (held: Name, asked: Name): Name | null => {
  const a = parse(held)
  const b = parse(asked)
  if (a.kind !== b.kind || a.name !== b.name) return null
  const resource = meet(a.resource, b.resource)
  if (resource === null) return null
  const head = `${a.kind}:${a.name}`
  const met = resource === undefined ? head : `${head}@${resource}`
  // A name built at run time, from a path for one, may type-check without ever having passed the grammar.
  return isName(met) ? met : null
}

/** Whether `held` admits everything that `asked` does. */
export const covers = (held: Name, asked: Name): boolean =>
  held === asked ? isName(asked) : intersect(held, asked) === asked

/** The backends that `names` admit: the `backends` claim of a token says the same in the providers' words. */
export const backendsOf = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.flatMap((name) => name.startsWith("backend:") ? [name.slice("backend:".length)] : [])
