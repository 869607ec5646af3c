/** Requests and their answers in SQL: whichever process is asked again knows what another one answered. */
import { Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Requests } from "../../src/operator/index.ts"
import { describe, patiently } from "./Failure.ts"

interface Kept {
  readonly fingerprint: string
  readonly at: number
  readonly told: boolean
  readonly status: number | null
  readonly content_type: string | null
  readonly body: string | null
}

/** Over the tables of the log. */
export const layer: Layer.Layer<Requests.Requests, never, SqlClient.SqlClient> = Layer.effect(
  Requests.Requests,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const begin = ({ at, caller, fingerprint, key }: Requests.Request) =>
      Effect.gen(function*() {
        const made = yield* sql`
          insert into aosiq_requests (caller, key, fingerprint, at) values (${caller}, ${key}, ${fingerprint}, ${at})
          on conflict (caller, key) do nothing returning 1`
        if (made.length > 0) return fresh
        const [found] = yield* sql<{ readonly kept: Kept }>`
          select row_to_json(r) as kept from aosiq_requests r where caller = ${caller} and key = ${key}`
        // Somebody released it between the two: the next attempt begins it.
        return found === undefined ? { _tag: "Begun", fingerprint, at } satisfies Requests.Known : knownOf(found.kept)
      })

    return {
      // Not asked twice by itself: an insert whose answer was lost would look like another request.
      begin: (request) => Effect.mapError(begin(request), lost),
      finish: ({ caller, key }, answer) =>
        sql`update aosiq_requests set told = true, status = ${answer?.status ?? null},
          content_type = ${answer?.contentType ?? null}, body = ${answer?.body ?? null}
          where caller = ${caller} and key = ${key}`.pipe(patiently, Effect.asVoid, Effect.mapError(lost)),
      release: ({ caller, key }) =>
        sql`delete from aosiq_requests where caller = ${caller} and key = ${key} and not told`.pipe(
          patiently,
          Effect.asVoid,
          Effect.mapError(lost)
        ),
      forget: (before) =>
        sql`delete from aosiq_requests where at < ${before}`.pipe(patiently, Effect.asVoid, Effect.mapError(lost))
    }
  })
)

// internal

const fresh: Requests.Known = { _tag: "New" }

const lost = (error: SqlError.SqlError): Requests.RequestsError => new Requests.RequestsError(describe(error))

const knownOf = ({ at, body, content_type, fingerprint, status, told }: Kept): Requests.Known => {
  if (!told) return { _tag: "Begun", fingerprint, at }
  if (status === null || content_type === null || body === null) return { _tag: "Told", fingerprint }
  return { _tag: "Answered", fingerprint, answer: { status, contentType: content_type, body } }
}
