/** Lists a page at a time. A cursor names the last item that was seen, so that what comes or goes meanwhile moves nothing. */
import { Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"

/** Items of one page when nobody says how many, and at the most. */
export const standard = 50
export const max = 200

/** What a request for a page says. */
export const query = {
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(1000))),
  limit: Schema.optionalKey(Schema.Natural.check(Schema.isBetween({ minimum: 1, maximum: max })))
}
export interface Ask {
  readonly cursor?: string
  readonly limit?: number
}

/** A page of items; `next` leads to the one after it, `null` ends the list. */
export const of = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next: Schema.NullOr(Schema.String) })

/** The page that was asked for of a list in a fixed order, in which each item has a place of its own. */
export const cut = <A>(list: ReadonlyArray<A>, placeOf: (item: A) => string, { cursor, limit = standard }: Ask) => {
  const after = cursor === undefined ? undefined : read(cursor)
  const start = after === undefined ? 0 : list.findIndex((item) => placeOf(item) === after) + 1
  const items = list.slice(start, start + limit)
  const last = items.at(-1)
  const isMore = last !== undefined && start + items.length < list.length
  return { items, next: isMore ? Base64Url.encode(placeOf(last)) : null }
}

/** Whether a cursor leads somewhere in the list. */
export const leads = <A>(list: ReadonlyArray<A>, placeOf: (item: A) => string, { cursor }: Ask): boolean => {
  if (cursor === undefined) return true
  const after = read(cursor)
  return list.some((item) => placeOf(item) === after)
}

// internal

const read = (cursor: string): string | undefined =>
  Option.getOrUndefined(Result.getSuccess(Base64Url.decodeString(cursor)))
