/**
 * A session's traffic on tape: every model call and tool call that came to an answer, of the session and of all below it, as
 * the log has them. The `recorded` backend answers model calls from it and `handler` answers tools, so that the whole
 * session runs again with nobody asked and nothing touched.
 *
 * A tape is JSON lines: a header, then one line a call, by session and place. Secrets are taken out. The session's own name,
 * which stamps carry, is left out as well, so that it is the same tape whoever records it and whenever: recording a replay
 * gives the same lines. A call that differs from the one at its place is an error that says where.
 */
import { Effect, type Layer, Option, Result, Schema, Stream } from "effect"
import { AiError, LanguageModel, type Response } from "effect/ai"
import { Digest, Log, type Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { GovernorError, Refusal, Session, Transition } from "../governor/index.ts"
import { Tool } from "../tool/index.ts"
import { type Backend, said, Turn } from "./Backend.ts"
import { BackendError } from "./BackendError.ts"
import { cleaned, difference } from "./Clean.ts"
import * as Failure from "./Failure.ts"

/** What the first line of every tape says it is. */
export const format = "aosiq-tape"
/** The version of the format that is written, and the only one that is read. */
export const version = 1

/** The first line: what was run on what, and whose the models were. */
export const Header = Schema.Struct({
  format: Schema.Literal(format),
  version: Schema.Literal(version),
  actor: Schema.String,
  input: Schema.Json,
  /** As `name/model`, in order of their first answers. */
  models: Schema.Array(Schema.String),
  /** What was said beside the outputs, when they were not a model's own. */
  notice: Schema.NullOr(Schema.String)
})
export type Header = typeof Header.Type

/** One call and its answer. */
export const Call = Schema.Struct({
  /** The session below the one that was recorded; empty for that one. */
  session: Schema.String,
  /** Where the call stands in its session. */
  place: Schema.String,
  /** The tool, or `model`. */
  act: Schema.String,
  args: Schema.Json,
  status: Schema.Literals(["succeeded", "failed"]),
  result: Schema.Json
})
export type Call = typeof Call.Type

/** A tape, read. */
export interface Tape {
  readonly header: Header
  readonly calls: ReadonlyArray<Call>
}

/** There is no tape: the text is none, or the session cannot be recorded. */
export class TapeError extends Schema.TaggedError<TapeError>()("TapeError", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.detail}; ${this.remedy}`
  }
}

/** What a model call is called on a tape, whoever answered it. */
export const modelAct = "model"

/** The traffic of a root session that has come to its end, or waits. */
export const record = (
  session: Claims.SessionId
): Effect.Effect<Tape, TapeError | Log.LogError, Log.Log | Digest.Digest> =>
  Effect.gen(function*() {
    const log = yield* Log.Log
    const [first] = yield* log.rows(session, 0, 1)
    const genesis = first?.body
    if (first === undefined || genesis?.kind !== "genesis" || genesis.parent !== null) {
      return yield* fail(
        `${session} is no session that somebody started`,
        "name one of aosiq sessions without a parent"
      )
    }
    const summary = yield* log.session(session)
    if (Option.exists(summary, ({ status }) => status === "running")) {
      return yield* fail(`${session} is running`, "record it when it has come to its end, or waits")
    }
    const below = (yield* log.since(first.at)).filter(({ id }) => Transition.isWithin(id, session))
    const found = yield* Effect.forEach(below, ({ id }) => callsOf(id))
    const calls = found.flatMap((one) => one.calls)
    const models = found.flatMap((one) => one.models)
    const header: Header = {
      format,
      version,
      actor: genesis.actor,
      input: yield* payload(genesis.input, session),
      models: [...new Set(models)].toSorted(),
      notice: found.flatMap(({ notices }) => notices)[0] ?? null
    }
    return { header, calls: calls.toSorted((a, b) => order(a.session, b.session) || order(a.place, b.place)) }
  })

/** A tape as text. */
export const write = ({ calls, header }: Tape): string =>
  [header, ...calls].map((line) => `${JSON.stringify(line)}\n`).join("")

/** Reads a tape. */
export const read = (text: string): Effect.Effect<Tape, TapeError> =>
  Effect.gen(function*() {
    const [first = "", ...rest] = text.replace(/\n$/, "").split("\n")
    const header = yield* line(Header, first, `line 1 is not the header of an ${format} of version ${version}`)
    const calls = yield* Effect.forEach(
      rest,
      (one, index) => line(Call, one, `line ${index + 2} is not a recorded call`)
    )
    return { header, calls }
  })

/** Where two tapes first differ; `undefined` when every call of the one is the same on the other. Headers are not compared. */
export const differs = (one: Tape, other: Tape): string | undefined => {
  const at = ({ act, place, session }: Call) => `${act} at ${session}${place}`
  const same = (call: Call) => (there: Call) => call.session === there.session && call.place === there.place
  for (const call of one.calls) {
    const there = other.calls.find(same(call))
    if (there === undefined) return `${at(call)} is missing`
    const path = difference(call, there, "")
    if (path !== undefined) return `${at(call)} differs at ${path}`
  }
  const added = other.calls.find((call) => !one.calls.some(same(call)))
  if (added !== undefined) return `${at(added)} is one too many`
  return other.calls.length === one.calls.length ? undefined : `there are ${other.calls.length} calls`
}

/** Answers the model calls of a tape, whoever answered them then. */
export const backend = (tape: Tape): Effect.Effect<Backend<"recorded">> =>
  Effect.gen(function*() {
    const next = (options: LanguageModel.ProviderOptions) =>
      Effect.gen(function*() {
        const { call, id } = yield* asked(tape, modelAct)
        if (call === undefined) return yield* unlike(`the tape has no model call at ${id.place}`)
        const args = modelArgs(options.prompt.content, options.tools.map(({ name }) => name), id.root)
        const path = difference(call.args, args, "")
        if (path !== undefined) return yield* unlike(`the question at ${id.place} differs from the tape at ${path}`)
        const result = renamed(call.result, standIn, id.root)
        if (call.status === "failed") return yield* failure(result)
        const turn = Schema.decodeUnknownEffect(Schema.toCodecJson(Turn))({ ...fieldsOf(result), notice: null })
        return parts(yield* Effect.catch(turn, () => unlike(`what the tape has at ${id.place} is no turn of a model`)))
      })
    const languageModel = yield* LanguageModel.make({
      generateText: next,
      streamText: (options) => Stream.unwrap(Effect.map(next(options), (all) => Stream.fromIterable(streamed(all))))
    })
    const { models, notice } = tape.header
    const who = models.length === 0 ? "no model" : models.join(", ")
    return {
      name: "recorded",
      model: models.join(", "),
      notice: notice ?? `a tape of ${who}, played back`,
      maxOutputTokens: 1,
      languageModel
    }
  })

/** Answers the calls of one tool from a tape, in place of its handler: nothing is done. */
export const handler = <T extends Tool.Any>(tape: Tape, tool: T): Layer.Layer<Tool.HandlerOf<T>> => {
  const params = Tool.codec(tool.params)
  const success = Tool.codec(tool.success)
  const failed = Tool.codec(tool.failure)
  const answer = (args: unknown): Effect.Effect<unknown, object, Session> =>
    Effect.gen(function*() {
      const { call, id } = yield* asked(tape, tool.name)
      const stray = (recorded: string, now: string) =>
        new GovernorError({
          act: tool.name,
          reason: new Refusal.Nondeterminism({ key: id.place, recorded, asked: now })
        })
      if (call === undefined) return yield* stray("nothing on the tape", tool.name)
      const json = yield* Effect.mapError(params.encode(args), (detail) => stray(call.act, detail))
      const path = difference(call.args, renamed(cleaned(json), id.root, standIn), "")
      if (path !== undefined) return yield* stray(`${call.act} on the tape`, `other arguments, at ${path || "the top"}`)
      const result = renamed(call.result, standIn, id.root)
      const unfit = (detail: string) => stray(call.act, `a result that does not fit: ${detail}`)
      if (call.status === "succeeded") return yield* Effect.mapError(success.decode(result), unfit)
      // What the failure's own schema decodes is an object: handlers fail with nothing else.
      return yield* Effect.flatMap(
        Effect.mapError(failed.decode(result), unfit),
        (error) => Effect.fail(error as object)
      )
    })
  // The erased answer is what the tool's own schemas decode; a tool with a probe has nothing to look for here.
  const layer = Tool.layer as unknown as (...parts: ReadonlyArray<unknown>) => Layer.Layer<Tool.HandlerOf<T>>
  return layer(tool, answer, () => Effect.succeed({ _tag: "Unknown" }))
}

/** Whether a tape has a call at a place of a session. */
export const has = (tape: Tape, session: Claims.SessionId, key: string): boolean => {
  const below = belowRoot(session)
  return tape.calls.some((call) => call.session === below && call.place === placeIn(key))
}

// internal

/** What stands on a tape for the name of the session. */
const standIn = "ses_tape"

const fail = (detail: string, remedy: string) => Effect.fail(new TapeError({ detail, remedy }))

const line = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string, detail: string) =>
  Effect.fromResult(Result.mapError(
    Schema.decodeUnknownResult(Schema.fromJsonString(schema))(text),
    () => new TapeError({ detail, remedy: "record the session again" })
  ))

/** The place of an act, whichever attempt at it a key names. */
const placeIn = (key: string): string => key.replace(/~\d+$/, "")
const belowRoot = (session: Claims.SessionId): string => session.slice(Transition.rootOf(session).length)

/** By their parts, numbers by their size. */
const order = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/))
  for (const [index, part] of (left ?? []).entries()) {
    const other = right?.[index] ?? ""
    if (part === other) continue
    const size = Number(part) - Number(other)
    return Number.isNaN(size) || size === 0 ? (part < other ? -1 : 1) : size
  }
  return (left?.length ?? 0) - (right?.length ?? 0)
}

/** Every text with one name in place of another. */
const renamed = (value: Schema.Json, from: string, to: string): Schema.Json =>
  JSON.parse(JSON.stringify(value).replaceAll(from, to)) as Schema.Json // Names of sessions hold nothing that JSON escapes.

const payload = (hash: Row.Row["hash"], session: Claims.SessionId) =>
  Effect.gen(function*() {
    const text = Log.whole(yield* Digest.Digest, hash)(yield* (yield* Log.Log).payload(hash))
    const json = Option.flatMap(text, (text) => Result.getSuccess(Result.try(() => JSON.parse(text) as Schema.Json)))
    if (Option.isSome(json)) return renamed(cleaned(json.value), Transition.rootOf(session), standIn)
    return yield* fail(
      `the payload ${hash} of ${session} was erased or altered`,
      "record sessions while their payloads are kept"
    )
  })

interface Recorded {
  readonly calls: ReadonlyArray<Call>
  readonly models: ReadonlyArray<string>
  readonly notices: ReadonlyArray<string>
}

/** What is traffic: models and tools, not the start of a child or a plan, whose own calls are on the tape. */
const actOf = ({ act, capabilities }: typeof Row.Intent.Type): string | undefined => {
  if (act.startsWith("model:")) return modelAct
  const isOurs = act === "plan" || act.startsWith("probe_") || capabilities.some((name) => name.startsWith("spawn:"))
  return isOurs ? undefined : act
}

const callsOf = Effect.fnUntraced(function*(session: Claims.SessionId) {
  const rows = yield* (yield* Log.Log).rows(session)
  const models: Array<string> = []
  const notices: Array<string> = []
  const calls = new Map<string, Call>()
  const intents = new Map<number, { readonly key: string; readonly body: typeof Row.Intent.Type }>()
  for (const { body, key, seq } of rows) {
    if (body.kind === "intent" && key !== null) intents.set(seq, { key, body })
    const ended = endOf(body)
    const intent = ended === undefined ? undefined : intents.get(ended.intent)
    const act = intent === undefined ? undefined : actOf(intent.body)
    if (ended === undefined || intent === undefined || act === undefined) continue
    const result = yield* payload(ended.result, session)
    const args = yield* payload(intent.body.args, session)
    const place = placeIn(intent.key)
    const call = { session: belowRoot(session), place, act, status: ended.status }
    if (act !== modelAct) {
      calls.set(place, { ...call, args, result })
      continue
    }
    const { model, notice } = whose(args, result)
    models.push(`${intent.body.act.slice("model:".length)}/${model}`)
    if (notice !== null) notices.push(notice)
    calls.set(place, { ...call, args: questionOf(args), result: impersonal(result) })
  }
  return { calls: [...calls.values()], models, notices } satisfies Recorded as Recorded
})

/** The answer of an act, as its tool gave it or an operator told it afterwards. */
const endOf = (body: Row.Body) => {
  if (body.kind === "settled" && body.choice === "done" && body.result !== null) {
    return { intent: body.intent, status: "succeeded" as const, result: body.result }
  }
  if (body.kind !== "outcome" || body.result === null) return undefined
  const { intent, result, status } = body
  return status === "succeeded" || status === "failed" ? { intent, status, result } : undefined
}

// What the backend room wrote into the log has these fields.
const fieldsOf = (value: Schema.Json) => value as { readonly [field: string]: Schema.Json }
/** A turn or a failure, without whose it was: the header says that. */
const impersonal = (result: Schema.Json): Schema.Json =>
  Object.fromEntries(
    Object.entries(fieldsOf(result)).filter(([field]) => !["notice", "backend", "model"].includes(field))
  )
const whose = (args: Schema.Json, result: Schema.Json) => {
  const { model } = fieldsOf(args)
  const { notice } = fieldsOf(result)
  return { model: String(model), notice: typeof notice === "string" ? notice : null }
}

/** What makes two questions the same: the conversation, and what was offered. */
const questionOf = (args: Schema.Json): Schema.Json => {
  const { prompt = null, tools } = fieldsOf(args)
  const names = Array.isArray(tools) ? tools.map((tool) => fieldsOf(tool)["name"] ?? null) : []
  return { prompt: unmarked(prompt), tools: names }
}
const modelArgs = (prompt: unknown, tools: ReadonlyArray<string>, root: string): Schema.Json =>
  unmarked(renamed(cleaned({ prompt, tools }), root, standIn))

/** Without the marks that tell parts of a prompt apart in memory. */
const unmarked = (value: Schema.Json): Schema.Json => {
  if (Array.isArray(value)) return value.map(unmarked)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([field]) => !field.startsWith("~effect/"))
  return Object.fromEntries(entries.map(([field, inner]) => [field, unmarked(inner)]))
}

/** The call of a tape for the act under way. */
const asked = (tape: Tape, act: string) =>
  Effect.map(Effect.serviceOption(Session), (session) => {
    const id = Option.match(session, {
      onNone: () => ({ root: standIn, below: "", place: "" }),
      onSome: ({ id, path }) => ({ root: Transition.rootOf(id) as string, below: belowRoot(id), place: placeIn(path) })
    })
    const call = tape.calls.find((one) => one.session === id.below && one.place === id.place && one.act === act)
    return { call, id }
  })

const unlike = (description: string) =>
  Effect.fail(AiError.make({
    module: "Tape",
    method: "generateText",
    reason: new AiError.InvalidRequestError({ description })
  }))

/** The failure that was recorded, with its kind. */
const failure = (result: Schema.Json) =>
  Effect.flatMap(
    Effect.catch(
      Schema.decodeUnknownEffect(Schema.toCodecJson(BackendError))({
        ...fieldsOf(result),
        backend: "recorded",
        model: ""
      }),
      () => unlike("what the tape has is no failure of a model")
    ),
    ({ reason }) =>
      Effect.fail(AiError.make({
        module: "Tape",
        method: "generateText",
        reason: Failure.make(reason._tag, {
          detail: reason.detail,
          retryAfterMs: reason._tag === "RateLimited" ? reason.retryAfterMs ?? undefined : undefined
        }).reason
      }))
  )

type Part = { readonly [field: string]: Schema.Json }

/** A turn as the parts that it was made of. */
const parts = (turn: Turn): Array<Response.PartEncoded> => {
  const content = said(turn).map((part) => {
    const { options, ...fields } = fieldsOf(part) as Part
    return (options === undefined ? fields : { ...fields, metadata: options }) as unknown as Response.PartEncoded
  })
  const { input, output, cacheRead, cacheWrite, reasoning } = turn.usage ?? {}
  return [...content, {
    type: "finish",
    reason: turn.finish as Response.FinishReason,
    usage: {
      inputTokens: { total: input, uncached: undefined, cacheRead, cacheWrite },
      outputTokens: { total: output, text: undefined, reasoning }
    },
    response: undefined
  }]
}

/** The same, as a stream says it. */
const streamed = (all: ReadonlyArray<Response.PartEncoded>): ReadonlyArray<Response.StreamPartEncoded> =>
  all.flatMap((part, index): ReadonlyArray<Response.StreamPartEncoded> => {
    const id = String(index)
    if (part.type === "text" || part.type === "reasoning") {
      const metadata = part.metadata === undefined ? {} : { metadata: part.metadata }
      return part.type === "text"
        ? [{ type: "text-start", id }, { type: "text-delta", id, delta: part.text }, {
          type: "text-end",
          id,
          ...metadata
        }]
        : [
          { type: "reasoning-start", id },
          { type: "reasoning-delta", id, delta: part.text },
          { type: "reasoning-end", id, ...metadata }
        ]
    }
    return [part as Response.StreamPartEncoded]
  })
