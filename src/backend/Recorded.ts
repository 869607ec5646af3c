/**
 * Model calls on tape. A recording stands between a backend and its caller and keeps every request with its answer; a
 * cassette plays the answers back, in order, to whoever asks the same questions. It calls nobody, and plays the same to
 * the last byte each time.
 *
 * A cassette is JSON lines: a header, then one line a call. A request is kept as what it is, not as a hash, so that a
 * difference can be pointed at. Secrets are taken out of requests and answers before they are kept, and out of the
 * requests that are compared with them.
 */
import { Effect, Result, Schema, Stream } from "effect"
import { AiError, LanguageModel, Prompt, Response, Tool, Toolkit } from "effect/ai"
import { type Backend, type Name, names } from "./Backend.ts"
import { cleaned, difference } from "./Clean.ts"

/** What the first line of every cassette says it is. */
export const format = "aosiq-cassette"
/** The version of the format that is written, and the only one that is read. */
export const version = 1

/** The text is not a cassette of this version. Nothing can be played. */
export class CassetteError extends Schema.TaggedError<CassetteError>()("CassetteError", {
  /** The line that is wrong, from 1. */
  line: Schema.Natural,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `line ${this.line} ${this.detail}: ${this.remedy}`
  }
}

/** A backend that records, and what it has recorded. */
export interface Recording<out N extends Name> {
  readonly backend: Backend<N>
  /** The cassette so far, as text. */
  readonly cassette: Effect.Effect<string>
}

/**
 * Records what is asked of a backend and what it answers, failures included, in the order of the asking. Calls that were
 * interrupted, and streams that nobody read to their end, leave no trace. Only texts can be asked for, not objects.
 */
export const record = <N extends Name>(backend: Backend<N>): Effect.Effect<Recording<N>> =>
  Effect.gen(function*() {
    const tape: Array<Slot> = []
    const open = (mode: Mode, options: LanguageModel.ProviderOptions) =>
      Effect.map(fingerprint(backend.model, mode, options), (request) => {
        const slot: Slot = { mode, request, answer: undefined }
        tape.push(slot)
        return slot
      })
    const languageModel = yield* LanguageModel.make({
      generateText: (options) =>
        Effect.flatMap(open("whole", options), (slot) =>
          backend.languageModel.generateText(passedOn(options)).pipe(
            Effect.flatMap(({ content }) => encodeWhole(content)),
            Effect.tap((parts) => keep(slot, parts)),
            Effect.tapError((error) => keep(slot, [], error))
          )),
      streamText: (options) =>
        Stream.unwrap(Effect.map(open("stream", options), (slot) => {
          const parts: Array<Response.StreamPartEncoded> = []
          return backend.languageModel.streamText(passedOn(options)).pipe(
            Stream.mapEffect(encodePiece),
            Stream.tap((part) => Effect.sync(() => parts.push(part))),
            Stream.onEnd(Effect.suspend(() => keep(slot, parts))),
            Stream.tapError((error) => keep(slot, parts, error))
          )
        }))
    })
    return { backend: { ...backend, languageModel }, cassette: Effect.sync(() => write(backend, tape)) }
  })

/**
 * Plays a cassette back. A request that differs from the one recorded at its place is an error that says where, and so is
 * one more than there are; neither moves the tape.
 */
export const fromCassette = (cassette: string): Effect.Effect<Backend<"recorded">, CassetteError> =>
  Effect.gen(function*() {
    const { calls, header } = yield* Effect.fromResult(read(cassette))
    let played = 0
    const next = <M extends Mode>(mode: M, options: LanguageModel.ProviderOptions) =>
      Effect.flatMap(fingerprint(header.model, mode, options), (request) => {
        const number = played + 1
        const call = calls[played]
        if (call === undefined) return refuse(mode, { description: `the cassette has no call ${number}` })
        const path = isOf(mode, call) ? difference(call.request, request, "") : "mode"
        if (!isOf(mode, call) || path !== undefined) {
          return refuse(mode, { parameter: path, constraint: `differs from call ${number} of the cassette` })
        }
        played = number
        return Effect.succeed(call)
      })
    const languageModel = yield* LanguageModel.make({
      generateText: (options) =>
        Effect.flatMap(
          next("whole", options),
          ({ error, parts }) => error === undefined ? Effect.succeed([...parts]) : Effect.fail(error)
        ),
      streamText: (options) =>
        Stream.unwrap(
          Effect.map(next("stream", options), ({ error, parts }) =>
            Stream.concat(Stream.fromIterable(parts), error === undefined ? Stream.empty : Stream.fail(error)))
        )
    })
    return {
      name: "recorded",
      model: header.model,
      notice: `a recording of ${header.backend}${header.notice === null ? "" : ` (${header.notice})`}, played back`,
      maxOutputTokens: header.maxOutputTokens,
      languageModel
    }
  })

// internal

const Header = Schema.Struct({
  format: Schema.Literal(format),
  version: Schema.Literal(version),
  backend: Schema.Literals(names),
  model: Schema.String,
  maxOutputTokens: Schema.Natural,
  notice: Schema.NullOr(Schema.String)
})
type Header = typeof Header.Type

const Failure = Schema.toCodecJson(AiError.AiError)

const callOf = <M extends string, P extends Schema.Constraint>(mode: M, part: P) =>
  Schema.Struct({
    mode: Schema.Literal(mode),
    request: Schema.Json,
    parts: Schema.Array(part),
    /** How the answer ended, when it did not end well. */
    error: Schema.optionalKey(Failure)
  })
const Call = Schema.Union([
  callOf("whole", Schema.toEncoded(Response.Part())),
  callOf("stream", Schema.toEncoded(Response.StreamPart()))
])
type Call = typeof Call.Type
type Mode = Call["mode"]

const isOf = <M extends Mode>(mode: M, call: Call): call is Extract<Call, { readonly mode: M }> => call.mode === mode

/** A call that was asked, and its answer once there is one. */
interface Slot {
  readonly mode: Mode
  readonly request: Schema.Json
  answer: { readonly parts: ReadonlyArray<Schema.Json>; readonly error?: Schema.Json } | undefined
}

const keep = (slot: Slot, parts: ReadonlyArray<unknown>, error?: AiError.AiError) =>
  Effect.map(error === undefined ? Effect.succeed(undefined) : encodeFailure(error), (failure) => {
    slot.answer = { parts: parts.map(cleaned), ...(failure === undefined ? {} : { error: cleaned(failure) }) }
  })

// What a model service gave out as decoded can be encoded.
const encodeWhole = (content: unknown) =>
  Effect.orDie(Schema.encodeUnknownEffect(Schema.mutable(Schema.Array(Response.Part())))(content))
const encodePiece = (part: unknown) => Effect.orDie(Schema.encodeUnknownEffect(Response.StreamPart())(part))
const encodeFailure = (error: AiError.AiError) => Effect.orDie(Schema.encodeEffect(Failure)(error))

const write = (backend: Backend<Name>, tape: ReadonlyArray<Slot>): string => {
  const { maxOutputTokens, model, name, notice } = backend
  const header: Header = { format, version, backend: name, model, maxOutputTokens, notice }
  const calls = tape.flatMap(({ answer, mode, request }) => answer === undefined ? [] : [{ mode, request, ...answer }])
  return [header, ...calls].map((line) => `${JSON.stringify(line)}\n`).join("")
}

const read = (
  cassette: string
): Result.Result<{ readonly header: Header; readonly calls: ReadonlyArray<Call> }, CassetteError> =>
  Result.gen(function*() {
    const [first = "", ...rest] = cassette.replace(/\n$/, "").split("\n")
    const header = yield* line(Header, first, 1, `is not the header of an ${format} of version ${version}`)
    const calls = yield* Result.all(rest.map((text, index) => line(Call, text, index + 2, "is not a recorded call")))
    return { header, calls }
  })

const line = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string, number: number, detail: string) =>
  Result.mapError(
    Schema.decodeUnknownResult(Schema.fromJsonString(schema))(text),
    () => new CassetteError({ line: number, detail, remedy: "record the cassette again" })
  )

/** The request as the recorded backend is asked it: definitions only, and calls come back as they were written. */
const passedOn = (options: LanguageModel.ProviderOptions) => ({
  prompt: options.prompt,
  toolkit: Toolkit.make(
    ...options.tools.map((tool) =>
      Tool.dynamic(tool.name, { description: Tool.getDescription(tool), parameters: Tool.getJsonSchema(tool) })
    )
  ),
  toolChoice: options.toolChoice,
  disableToolCallResolution: true as const,
  toolCallValidation: "deferred" as const
})

/** What makes two requests the same, without secrets and with its keys in order. */
const fingerprint = (
  model: string,
  mode: Mode,
  options: LanguageModel.ProviderOptions
): Effect.Effect<Schema.Json, AiError.AiError> =>
  options.responseFormat.type === "json"
    ? refuse(mode, { description: "a recording is of texts, not of objects" })
    : Schema.encodeEffect(Prompt.Prompt)(options.prompt).pipe(
      Effect.map(({ content }) => cleaned({ model, prompt: content, tools: options.tools.map(({ name }) => name) })),
      Effect.catchTag("SchemaError", () => refuse(mode, { description: "the prompt is not JSON" }))
    )

const refuse = (
  mode: Mode,
  reason: { readonly parameter?: string | undefined; readonly constraint?: string; readonly description?: string }
) =>
  Effect.fail(AiError.make({
    module: "Recorded",
    method: mode === "whole" ? "generateText" : "streamText",
    reason: new AiError.InvalidRequestError(reason)
  }))
