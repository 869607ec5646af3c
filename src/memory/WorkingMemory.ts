/**
 * What a session remembers between its acts: values under typed keys. Reading and writing are acts like any other, with
 * capabilities of their own (`memory:read@KEY`, `memory:write@KEY`), so they are recorded, and answered from the record
 * when the actor runs again. A value is written in the commit of its act's outcome, which names its hash; every
 * checkpoint of the session names the hash of the whole memory.
 *
 * A key carries the tools that read, write and clear it, for an actor to list among its own; an agent may call them too.
 * A handler of another tool reaches a key through its permit, if that tool declares it: what it keeps is written with
 * its own outcome, or not at all when it fails.
 *
 * The memory of a session ends with it. It is bounded: `Memory.maxEntries` keys of `Memory.maxLength` characters each.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { Digest, Log } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import { Memory, type Permit, Received } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"

/** What is remembered cannot be read: it was erased or altered, or does not fit the key any more. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  key: Schema.String,
  detail: Schema.String
}) {}
/** The one error of this module. Nothing was written. */
export class MemoryError extends Schema.TaggedError<MemoryError>()("MemoryError", {
  reason: Schema.Union([Memory.Denied, Memory.TooLong, Memory.Full, Unreadable])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "Denied":
      case "Unreadable":
        return `${reason.key}: ${reason.detail}`
      case "TooLong":
        return `${reason.key}: ${reason.length} characters, ${reason.limit} at most`
      case "Full":
        return `${reason.key}: the session remembers ${reason.limit} keys already`
    }
  }
}

/** A key, with what its values are and the tools that reach it. */
export interface Key<out K extends string, S extends Plain> {
  readonly key: K
  readonly schema: S
  /** As what its values come back, at best. */
  readonly trust: "trusted" | "untrusted"
  readonly isLasting: boolean
  /** Gives the value; `null` for none. */
  readonly read: Tool.Tool<
    `recall_${Flat<K>}`,
    `memory:read@${K}`,
    true,
    Schema.Struct<{}>,
    Schema.NullOr<S>,
    typeof MemoryError
  >
  readonly write: Tool.Tool<
    `remember_${Flat<K>}`,
    `memory:write@${K}`,
    true,
    Schema.Struct<{ readonly value: S }>,
    Schema.Null,
    typeof MemoryError
  >
  readonly clear: Tool.Tool<
    `forget_${Flat<K>}`,
    `memory:write@${K}`,
    true,
    Schema.Struct<{}>,
    Schema.Null,
    typeof MemoryError
  >
}

/** A key in the name of a tool: models know no slashes there. */
export type Flat<K extends string> = K extends `${infer Head}/${infer Rest}` ? `${Head}_${Flat<Rest>}` : K

/**
 * Defines a key, such as `notes/plan`. Its values are a stranger's text to whoever reads them, unless `trust` says that
 * nothing but what is ours is written there: then each value is held to the policy on labels, and comes back as what it is.
 * With `isLasting` they outlive the session, for all sessions that hold the key; the last one to write counts.
 */
export const key = <const K extends string, S extends Plain>(name: K, options: {
  readonly description: string
  readonly schema: S
  readonly trust?: "trusted" | "untrusted"
  readonly isLasting?: boolean
}): Key<K, S> => {
  const { description, isLasting = false, schema, trust = "untrusted" } = options
  // `replaceAll` does to the text what `Flat` does to the type.
  const flat = name.replaceAll("/", "_") as Flat<K>
  return {
    key: name,
    schema,
    trust,
    isLasting,
    read: Tool.make(`recall_${flat}`, {
      description: `Recalls: ${description}`,
      capabilities: [`memory:read@${name}`],
      params: Schema.Struct({}),
      success: Schema.NullOr(schema),
      failure: MemoryError,
      trust
    }),
    write: Tool.make(`remember_${flat}`, {
      description: `Remembers, in place of what was there: ${description}`,
      capabilities: [`memory:write@${name}`],
      params: Schema.Struct({ value: schema }),
      success: Schema.Null,
      failure: MemoryError,
      trust: "trusted",
      // What is recalled as trusted must have been trusted; what is recalled as a stranger's may be anything.
      sinks: trust === "trusted" ? ["memory"] : []
    }),
    clear: Tool.make(`forget_${flat}`, {
      description: `Forgets: ${description}`,
      capabilities: [`memory:write@${name}`],
      params: Schema.Struct({}),
      success: Schema.Null,
      failure: MemoryError,
      trust: "trusted"
    })
  }
}

/** A key whose types were erased. */
export type Any = Key<string, Plain>

/** Provides the handlers of a key's tools. */
export const layer = <K extends string, S extends Plain>(
  key: Key<K, S>
): Layer.Layer<
  Tool.HandlerOf<Key<K, S>["read"] | Key<K, S>["write"] | Key<K, S>["clear"]>,
  never,
  Log.Log | Digest.Digest
> => {
  return Layer.mergeAll(
    handling(key.read, (_, permit) => Effect.map(recall(permit, key), Option.getOrNull)),
    // The tool's own schema decoded the arguments.
    handling(key.write, (args, permit) => Effect.as(remember(permit, key, (args as { value: S["Type"] }).value), null)),
    handling(key.clear, (_, permit) => Effect.as(forget(permit, key), null))
  ) as never // The markers of handlers are typed by the tools' names alone.
}

/** The value of a key, for a handler whose tool declares `memory:read` of it. */
export const recall = Effect.fnUntraced(function*<N extends string, K extends string, S extends Plain>(
  permit: Permit<N>,
  { isLasting, key, schema }: Key<K, S>
): Effect.fn.Return<
  Option.Option<S["Type"]>,
  MemoryError,
  Log.Log | Digest.Digest | Capability.Capability<`memory:read@${K}`>
> {
  const log = yield* Log.Log
  const digest = yield* Digest.Digest
  const held = yield* failing(Memory.get(permit, { key, isLasting }))
  if (held === undefined) return Option.none()
  const stored = held.text === undefined
    ? yield* Effect.mapError(log.payload(held.hash), (error) => unreadable(key, error.detail))
    : Option.some(held.text)
  const text = Log.whole(digest, held.hash)(stored)
  if (Option.isNone(text)) {
    return yield* unreadable(key, "its value was erased or altered")
  }
  const json = JSON.parse(text.value) as Schema.Json // Hash-checked above.
  return Option.some(yield* Effect.mapError(Tool.codec(schema).decode(json), (detail) => unreadable(key, detail)))
})

/** Keeps a value, for a handler whose tool declares `memory:write` of it; written if and when its act succeeds. */
export const remember = Effect.fnUntraced(function*<N extends string, K extends string, S extends Plain>(
  permit: Permit<N>,
  { isLasting, key, schema, trust }: Key<K, S>,
  value: S["Type"]
): Effect.fn.Return<void, MemoryError, Digest.Digest | Capability.Capability<`memory:write@${K}`>> {
  const digest = yield* Digest.Digest
  const codec = Tool.codec(schema)
  const json = yield* codec.encode(value).pipe(
    // No secret is kept: what is remembered of one is its kind.
    Effect.flatMap((encoded) => Received.cleaned(codec, encoded, value)),
    Effect.mapBoth({ onFailure: (detail) => unreadable(key, detail), onSuccess: (clean) => clean.json })
  )
  const text = digest.canonical(json)
  yield* failing(Memory.stage(permit, { key, isLasting, trust }, { hash: digest.sha256(text), text, json }))
})

/** Clears a key, for a handler whose tool declares `memory:write` of it; cleared if and when its act succeeds. */
export const forget = <N extends string, K extends string, S extends Plain>(
  permit: Permit<N>,
  { isLasting, key }: Key<K, S>
): Effect.Effect<void, MemoryError, Capability.Capability<`memory:write@${K}`>> =>
  failing(Memory.stage(permit, { key, isLasting }, null))

// internal

/** A handler of a tool whose types were erased: what it uses is what the key's tool declares. */
const handling = <R>(
  tool: Tool.Any,
  handler: (args: unknown, permit: Permit<string>) => Effect.Effect<unknown, MemoryError, R>
) => Tool.layer(tool, handler)

const unreadable = (key: string, detail: string) => new MemoryError({ reason: new Unreadable({ key, detail }) })

const failing = <A>(
  effect: Effect.Effect<A, Memory.Denied | Memory.TooLong | Memory.Full>
): Effect.Effect<A, MemoryError> => Effect.mapError(effect, (reason) => new MemoryError({ reason }))
