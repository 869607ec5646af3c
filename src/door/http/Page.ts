/**
 * Lists a page at a time. A cursor says after which item the next page begins, so that what comes or goes meanwhile moves
 * nothing. To whoever asks it is opaque: it fits the list that gave it, under the same filters, and one that was changed is
 * turned down. It is no secret and grants nothing.
 */
import { Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import type { Digest } from "../../audit/index.ts"
import * as Names from "../Name.ts"

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

/** Where items stand, by kind of list. */
export const Name = Schema.String.check(Names.isKept)
export const Instant = Schema.Struct({ at: Schema.Natural, id: Name })
export const Session = Schema.Struct({ startedAt: Schema.Natural, id: Name })
export const Row = Schema.Struct({ at: Schema.Natural, session: Name, seq: Schema.Natural })

/** Writes and reads the cursors of one list: `list` names it and all that it was asked for under. */
export const cursors = <S extends Schema.Codec<unknown, Schema.Json>>(
  digest: Digest.Digest["Service"],
  list: Schema.Json,
  place: S
) => {
  const seal = (text: string) => digest.sha256(digest.canonical([list, text])).slice(0, sealLength)
  const encode = Schema.encodeSync(Schema.fromJsonString(place))
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(place))
  return {
    write: (at: S["Type"]): string => {
      const text = encode(at)
      return Base64Url.encode(`${seal(text)}${text}`)
    },
    /** The place after which to begin; nothing when the cursor is none of this list. */
    read: (cursor: string): Option.Option<S["Type"]> => {
      const plain = Option.getOrElse(Result.getSuccess(Base64Url.decodeString(cursor)), () => "")
      const text = plain.slice(sealLength)
      return plain.slice(0, sealLength) === seal(text) ? decode(text) : Option.none()
    }
  }
}

/** The page of a short list in a fixed order, after the item at a place; nothing when none is there by now. */
export const cut = <A>(
  list: ReadonlyArray<A>,
  placeOf: (item: A) => string,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number }
): Option.Option<{ readonly items: ReadonlyArray<A>; readonly next: string | null }> => {
  const at = after === undefined ? 0 : list.findIndex((item) => placeOf(item) === after) + 1
  if (after !== undefined && at === 0) return Option.none()
  const items = list.slice(at, at + limit)
  const last = items.at(-1)
  return Option.some({ items, next: last !== undefined && at + items.length < list.length ? placeOf(last) : null })
}

// internal

/** Hex digits: enough that no cursor passes by accident. */
const sealLength = 16
