/** Signing in as the protocol says: the official client finds the issuer by itself, and a person signs in there. */
import { assert, layer } from "@effect/vitest"
import { auth, type OAuthClientProvider } from "@modelcontextprotocol/sdk/client/auth.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { Context, Effect, Layer } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { OidcIssuers } from "../../../layers/oidc/index.ts"
import { Caller, Callers } from "../../../src/session/index.ts"
import { audience } from "../../layers/oidc/issuer.ts"
import { provider } from "../../layers/oidc/provider.ts"
import { address, ceiling, runtime, send } from "../http/world.ts"
import { connected } from "./world.ts"

class Login extends Context.Service<Login, string>()("aosiq/test/door/mcp/SignIn.test/Login") {}

const back = "http://127.0.0.1:1/back"
const configuration = {
  clients: [],
  scopes: ["openid", "ask"],
  pkce: { required: () => true },
  features: {
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "ask", audience, accessTokenFormat: "jwt" })
    }
  }
}
const world = Layer.unwrap(Effect.map(Login, (issuer) =>
  HttpDoor.layer({ port: 0 }).pipe(
    Layer.provide(OidcIssuers.layer({ version: 1, issuers: [{ issuer, audience, scopes: ["openid", "ask"] }] }))
  ))).pipe(
    Layer.provideMerge(Layer.effect(Login, provider(configuration))),
    Layer.provideMerge(runtime)
  )

// oxlint-disable-next-line no-restricted-globals -- requests as a browser makes them
const fetched = (url: string, init: RequestInit) => fetch(url, { redirect: "manual", ...init })

/** Signs `login` in, as a browser does, and gives the code that the provider sends back. */
const browsed = async (start: URL, login: string): Promise<string> => {
  const cookies = new Map<string, string>()
  let [url, body]: [string, string | undefined] = [start.href, undefined]
  for (let step = 0; step < 20; step++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    const type = "application/x-www-form-urlencoded"
    const response = await fetched(url, {
      headers: { cookie },
      ...body !== undefined && { method: "POST", body, headers: { cookie, "content-type": type } }
    })
    for (const one of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get("location")
    if (location !== null) {
      const next = new URL(location, url)
      if (next.href.startsWith(back)) return next.searchParams.get("code") ?? next.search
      url = next.href
      body = undefined
      continue
    }
    const page = await response.text()
    const [, action = "", prompt = ""] = /action="([^"]+)"[^]*?name="prompt" value="([^"]+)"/.exec(page) ?? []
    if (action === "") return page
    url = new URL(action, url).href
    body = new URLSearchParams({ prompt, login, password: "x" }).toString()
  }
  return "it goes round"
}

/** What a client keeps; a person is sent to the provider. */
const keeping = () => {
  const kept: { tokens?: OAuthTokens; client?: OAuthClientInformationMixed; verifier: string; at?: URL } = {
    verifier: ""
  }
  const own: OAuthClientProvider = {
    redirectUrl: back,
    clientMetadata: {
      redirect_uris: [back],
      client_name: "test",
      token_endpoint_auth_method: "none",
      application_type: "native"
    } as never,
    clientInformation: () => kept.client,
    saveClientInformation: (client) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.at = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier
  }
  return { kept, own }
}

layer(world, { excludeTestServices: true, timeout: "60 seconds" })("signing in", (it) => {
  it.effect("is found by the official client, and lets in whom an operator knows", () =>
    Effect.gen(function*() {
      const url = new URL(`${yield* address}/mcp`)
      const issuer = yield* Login
      const callers = yield* Callers.Callers
      const knownBy = { kind: "subject", issuer, subject: "vera" } as const
      yield* callers.addKnown(
        { name: Caller.Name.make("vera"), role: "viewer", ceiling: ceiling() },
        knownBy,
        "local:ada"
      )
      const signedIn = Effect.fnUntraced(function*(login: string) {
        const { kept, own } = keeping()
        const refused = yield* send(url.href, { method: "POST", body: "{}" })
        const metadata = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate") ?? "")?.[1]
        assert.isDefined(metadata)
        const first = yield* Effect.promise(() => auth(own, { serverUrl: url, resourceMetadataUrl: new URL(metadata) }))
        assert.strictEqual(first, "REDIRECT")
        assert.strictEqual(kept.at?.searchParams.get("resource"), url.href)
        const authorizationCode = yield* Effect.promise(() => browsed(kept.at ?? url, login))
        assert.match(authorizationCode, /^[\w-]{20,}$/)
        yield* Effect.promise(() => auth(own, { serverUrl: url, authorizationCode }))
        return { kept, own }
      })
      const { own } = yield* signedIn("vera")
      const client = yield* connected(new StreamableHTTPClientTransport(url, { authProvider: own }) as Transport)
      const { tools } = yield* Effect.promise(() => client.listTools())
      const names = tools.map(({ name }) => name)
      assert.include(names, "session_status")
      assert.notInclude(names, "session_dispatch")
      // Whoever signs in and is nobody here is turned away.
      const { kept } = yield* signedIn("mallory")
      const stranger = yield* send(url.href, {
        method: "POST",
        headers: { authorization: `Bearer ${kept.tokens?.access_token}` },
        body: "{}"
      })
      assert.strictEqual(stranger.status, 401)
      assert.include(stranger.headers.get("www-authenticate"), "error=\"invalid_token\"")
    }).pipe(Effect.scoped), 60_000)

  it.effect("is described where clients look, for the address that they use", () =>
    Effect.gen(function*() {
      const url = yield* address
      const place = `${url}/.well-known/oauth-protected-resource`
      for (const one of [place, `${place}/mcp`]) {
        const { json } = yield* send(one)
        assert.deepStrictEqual(json, {
          resource: `${url}/mcp`,
          authorization_servers: [yield* Login],
          scopes_supported: ["openid", "ask"],
          bearer_methods_supported: ["header"],
          resource_name: "AOSIQ"
        })
      }
      const { json } = yield* send(place, { headers: { "x-forwarded-proto": "https" } })
      assert.strictEqual(json.resource, `${url.replace("http:", "https:")}/mcp`)
      assert.strictEqual((yield* send(place, { headers: { origin: "http://evil.example" } })).status, 403)
      // Other doors send nobody to sign in.
      const other = yield* send(`${url}/v1/self`)
      assert.strictEqual(other.headers.get("www-authenticate"), "Bearer realm=\"aosiq\"")
    }))
})
