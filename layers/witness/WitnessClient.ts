/** Witnesses as logs reach them: over HTTP, with answers bounded in size and time. Nothing is retried here. */
import { ByteSize, type Duration, Effect, Result, Stream } from "effect"
import { HttpBody, HttpClient, HttpClientRequest } from "effect/http"
import { Cosignature, Cosigning, type Digest, Note } from "../../src/audit/index.ts"

/** A witness to ask. */
export interface Options {
  readonly key: Note.Key
  /** Its submission prefix: requests go to `url/add-checkpoint`. */
  readonly url: string
  /** Of each request; 10 seconds unless set. */
  readonly timeout?: Duration.Input | undefined
}

/** Bytes of an answer, at most. */
export const maxAnswer = 64 * 1024

/** The witness as a peer. */
export const make = Effect.fnUntraced(function*(
  { key, timeout = "10 seconds", url }: Options
): Effect.fn.Return<Cosigning.Peer, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const place = placeOf(url)
  const silent = (detail: string) => () =>
    new Cosigning.CosigningError({
      reason: new Cosigning.Silent({
        witness: key.name,
        detail: `the witness ${key.name} at ${place}: ${detail}`,
        remedy: "see that it runs, and that it can be reached from here"
      })
    })
  const ask = (request: string) =>
    HttpClientRequest.post(`${url.replace(/\/+$/, "")}/add-checkpoint`).pipe(
      HttpClientRequest.setBody(HttpBody.text(request)),
      client.execute,
      Effect.mapError(({ reason }) => silent(`no answer (${reason._tag})`)()),
      Effect.flatMap((response) =>
        response.stream.pipe(
          Stream.mapError(silent("the answer broke off")),
          Stream.limitBytes(ByteSize.bytes(maxAnswer), () => Stream.fail(silent("the answer is too long")())),
          Stream.decodeText(),
          Stream.mkString,
          Effect.map((body) => ({ status: response.status, body }))
        )
      ),
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(silent("no answer in time")()) })
    )
  return { key, place, ask }
})

/** Reads `name+id+base64@url`; says what is wrong with it. */
export const parse = (
  digest: Digest.Digest["Service"],
  word: string
): Result.Result<Pick<Options, "key" | "url">, string> => {
  const [, key, url] = /^([^@]+)@(https?:\/\/\S+)$/.exec(word) ?? []
  if (key === undefined || url === undefined || !URL.canParse(url)) {
    return Result.fail("a witness is written name+id+base64@url, with an http or https URL")
  }
  return Result.mapBoth(Cosignature.parseKey(digest, key), {
    onFailure: (error) => `of its key: ${Note.explain(error)}`,
    onSuccess: (key) => ({ key, url })
  })
}

// internal

/** The address as it may be shown: without credentials. */
const placeOf = (url: string): string => {
  const { host, pathname, protocol } = new URL(url)
  return `${protocol}//${host}${pathname.replace(/\/+$/, "")}`
}
