/** Tokens of an issuer that is not ours: a provider of OpenID Connect, which gives a program an access token over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { audience, verifying } from "./issuer.ts"
import { provider } from "./provider.ts"

const client = { client_id: "robot", client_secret: "a-secret-of-the-robot" }
const configuration = {
  clients: [{
    ...client,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: []
  }],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "urn:aosiq",
      getResourceServerInfo: () => ({ scope: "ask", audience, accessTokenFormat: "jwt" })
    }
  }
}

const asked = async (url: string) => {
  const body = new URLSearchParams({ grant_type: "client_credentials", resource: "urn:aosiq", ...client })
  // oxlint-disable-next-line no-restricted-globals -- a request as any client sends it, and none of our own making
  const response = await fetch(`${url}/token`, { method: "POST", body })
  return await response.json() as { readonly access_token: string; readonly error?: string }
}
const given = (url: string) => Effect.promise(() => asked(url))

describe("a provider that is not ours", () => {
  it.live("gives access tokens that verify by the keys it publishes, for whom they are made out to", () =>
    Effect.gen(function*() {
      const url = yield* provider(configuration)
      const token = yield* given(url)
      assert.isUndefined(token.error)
      const verify = yield* verifying({ issuer: url, audience })
      const { knownBy } = yield* verify(token.access_token)
      assert.deepStrictEqual(knownBy, { kind: "subject", issuer: url, subject: "robot" })
      const other = yield* verifying({ issuer: url, audience: "another" })
      assert.include((yield* Effect.flip(other(token.access_token))).message, "somebody else")
    }).pipe(Effect.scoped))
})
