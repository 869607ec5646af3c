/**
 * A witness over HTTP. `POST /add-checkpoint` is the protocol of c2sp.org/tlog-witness; `GET /checkpoint?origin=…` gives
 * the newest checkpoint of a log, signed as of now, for whoever wants to compare; `GET /` gives the witness's key.
 *
 * Nobody is asked who he is: a request is worth the signature of the log in it.
 */
import { ByteSize, Duration, Effect, Layer, Option } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Cosignature, Digest, type Note, type Signer, Witness } from "../../src/audit/index.ts"

/** The routes of a witness for `logs`. */
export const routes = (
  logs: ReadonlyArray<Note.Key>
) =>
  Layer.unwrap(Effect.gen(function*() {
    const witness = yield* Witness.make(logs)
    const digest = yield* Digest.Digest
    const key = Cosignature.formatKey(digest, witness.key)
    return Layer.mergeAll(
      HttpRouter.add("POST", "/add-checkpoint", add(witness)),
      HttpRouter.add("GET", "/checkpoint", newest(witness)),
      HttpRouter.add("GET", "/", HttpServerResponse.text(`${key}\n`))
    )
  }))

// internal

/** How long a request may take to arrive. */
const patience = Duration.seconds(10)

const add = (witness: Witness.Witness) =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const body = yield* Effect.option(Effect.timeout(request.text, patience))
    if (Option.isNone(body)) return HttpServerResponse.text("the request did not arrive whole\n", { status: 400 })
    const answer = yield* witness.add(body.value)
    return HttpServerResponse.text(answer.body, {
      status: answer.status,
      contentType: answer.status === 409 ? "text/x.tlog.size" : "text/plain; charset=utf-8"
    })
  }).pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(Witness.maxRequest)),
    Effect.catch(unable)
  )

const newest = (witness: Witness.Witness) =>
  Effect.gen(function*() {
    const { searchParams } = new URL((yield* HttpServerRequest.HttpServerRequest).url, "http://witness")
    const note = yield* witness.newest(searchParams.get("origin") ?? "")
    return Option.match(note, {
      onNone: () => HttpServerResponse.text("nothing of this log was signed here\n", { status: 404 }),
      onSome: (text) => HttpServerResponse.text(text)
    })
  }).pipe(Effect.catch(unable))

/** Nothing was signed, and the log may ask again; what is wrong here is for whoever runs this. */
const unable = (error: Witness.MemoryError | Signer.SignerError) =>
  Effect.as(
    Effect.logError(`nothing was signed: ${error.detail}; ${error.remedy}`),
    HttpServerResponse.text("this witness cannot sign now\n", { status: 503 })
  )
