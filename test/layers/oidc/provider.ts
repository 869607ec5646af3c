/** A provider of OpenID Connect that is not ours, on this machine; the package has no types of its own. */
import { Effect, type Scope } from "effect"
import { createServer, type RequestListener } from "node:http"
import { listening } from "./listening.ts"

/** The part of it that is used. */
interface Provider {
  readonly callback: () => RequestListener
}
type Making = new(issuer: string, configuration: object) => Provider

/** Starts one and gives its address; it goes with the scope. */
export const provider = (configuration: object): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function*() {
    // What is used of the package is said above.
    const name: string = "oidc-provider"
    const { default: Provider } = yield* Effect.promise(() => import(name) as Promise<{ readonly default: Making }>)
    const server = createServer()
    const url = yield* listening(server)
    server.on("request", new Provider(url, configuration).callback())
    return url
  })
