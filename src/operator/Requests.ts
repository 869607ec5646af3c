/**
 * Requests that were made under a key, and what they were answered: so that a caller that did not hear the answer can ask
 * again and is told the same, and nothing is done twice. A key is one caller's own. A request that began and whose answer
 * was not kept stays so: whether it took effect, nobody says here.
 */
import { Context, type Effect, Schema } from "effect"

/** Whether a request was made before could not be found out; nothing was done. A retry can help. */
export class RequestsError extends Schema.TaggedError<RequestsError>()("RequestsError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** A request, by whom and under which key; `fingerprint` is the hash of all that it asks for. */
export interface Request {
  readonly caller: string
  readonly key: string
  readonly fingerprint: string
  /** When it came, epoch milliseconds. */
  readonly at: number
}

/** What was answered. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** What is known of a key. */
export type Known =
  /** Nothing: the request may begin, and is kept as begun. */
  | { readonly _tag: "New" }
  | { readonly _tag: "Answered"; readonly fingerprint: string; readonly answer: Answer }
  /** It was answered with what is not kept. */
  | { readonly _tag: "Told"; readonly fingerprint: string }
  /** It began then, and no answer is kept (yet). */
  | { readonly _tag: "Begun"; readonly fingerprint: string; readonly at: number }

/** Keeps requests and their answers. */
export class Requests extends Context.Service<Requests, {
  /** Of several at the same time with one key, one is new. */
  readonly begin: (request: Request) => Effect.Effect<Known, RequestsError>
  /** Keeps the answer; `null` for one that is not to be kept. */
  readonly finish: (request: Request, answer: Answer | null) => Effect.Effect<void, RequestsError>
  /** Nothing was done: the key is free again. */
  readonly release: (request: Request) => Effect.Effect<void, RequestsError>
  /** Forgets those that came before then. */
  readonly forget: (before: number) => Effect.Effect<void, RequestsError>
}>()("aosiq/operator/Requests") {}

/** How long a key is remembered. */
export const keptMs = 86_400_000
