/** What the contract's suite needs to know of a vendor: how its wire format says what is said here in no format. */
import type { Effect, Scope } from "effect"
import type { Response } from "effect/ai"
import type { Backend, Setup } from "../../src/backend/index.ts"
import type { Asked } from "./Loopback.ts"

/** Why an answer ended. `odd` is a word that the vendor never had. */
export const stops = ["stop", "length", "filter", "refusal", "odd"] as const
export type Stop = (typeof stops)[number]

/** Tokens, each counted once. */
export interface Used {
  readonly fresh: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly answer: number
  readonly reasoning: number
}

/** An answer. Parameters that are a text are to be sent as that text: it need not be JSON. */
export interface Said {
  readonly thought?: string
  readonly text?: string
  readonly calls?: ReadonlyArray<{ readonly id: string; readonly name: string; readonly params: unknown }>
  readonly stop?: Stop
  readonly used?: Used
}

/** Tokens of an answer, unless said otherwise. */
export const usual: Used = { fresh: 10, cacheRead: 0, cacheWrite: 0, answer: 5, reasoning: 0 }

/** Something to send. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Something to send piece by piece: one event each, of which the last ends the answer. */
export interface Streamed {
  readonly headers: Readonly<Record<string, string>>
  readonly pieces: ReadonlyArray<string | Uint8Array>
}

/** What is refused. */
export const refusals = ["rate", "overloaded", "failed", "tooLong", "unauthorized", "quota", "filtered"] as const
export type Refusal = (typeof refusals)[number]

/** A request, in no format. */
export interface Question {
  readonly system: string | undefined
  /** Of the user's, in order. */
  readonly texts: ReadonlyArray<string>
  readonly tools: ReadonlyArray<{ readonly name: string; readonly description: string; readonly schema: object }>
  readonly images: ReadonlyArray<string>
  /** Calls that the conversation holds, with what they came to. */
  readonly calls: ReadonlyArray<{ readonly name: string; readonly params: unknown; readonly result: string }>
  /** The schema that the answer is to have. */
  readonly schema: object | undefined
  readonly maxOutputTokens: number | undefined
}

/** The wire format of a vendor. */
export interface Wire {
  readonly name: Backend.Name
  /** A model of the vendor's that has a price. */
  readonly model: string
  /** A backend that asks the server at this address. */
  readonly make: (
    url: string,
    options: Omit<Setup.Options, "model" | "baseUrl">
  ) => Effect.Effect<Backend.Backend<Backend.Name>, Setup.SetupError, Scope.Scope>
  readonly whole: (said: Said) => Reply
  readonly stream: (said: Said) => Streamed
  /** An event that means nothing. */
  readonly noise: string | Uint8Array
  /** An event that would mean something, with this text where its content should begin. */
  readonly malformed: (text: string) => string | Uint8Array
  readonly refuse: (refusal: Refusal, text: string) => Reply
  /** Reads a request, while its answer is waited for. */
  readonly question: (asked: Asked) => Effect.Effect<Question>
  /** How each end is told to the caller. */
  readonly ends: { readonly [S in Stop]: Response.FinishReason }
  /** What of the tokens the format has a place for. */
  readonly counts: {
    readonly cacheRead: boolean
    readonly cacheWrite: boolean
    readonly reasoning: boolean
    /** Whether it is told what an answer used that ended with a refusal. */
    readonly refusals: boolean
  }
  /** The vendor's endpoint that counts tokens, its answer, and all that it was told; `undefined` where there is none. */
  readonly counter: {
    readonly path: RegExp
    readonly reply: (tokens: number) => Reply
  } | undefined
  /** Whether thoughts can be told from the answer. */
  readonly thinks: boolean
  /** Whether a filter that refuses can be told from any other refusal. */
  readonly filters: boolean
  /** Whether the vendor can say how long to wait. */
  readonly saysWhen: boolean
  /** Whether ids of calls are the vendor's own. */
  readonly ids: boolean
  /** Milliseconds in which an answer is there, when it comes at all. */
  readonly promptMs: number
  /** What the key looks like; `undefined` where there is none. */
  readonly key: string | undefined
}
