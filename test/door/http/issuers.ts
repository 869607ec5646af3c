/** The runtime behind a server that trusts an issuer on this machine. */
import { Context, DateTime, Effect, Layer } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { OidcIssuers } from "../../../layers/oidc/index.ts"
import type { Limits } from "../../../src/door/http/index.ts"
import type { Issuers } from "../../../src/session/index.ts"
import { audience, type Issuer, start } from "../../layers/oidc/issuer.ts"
import { ceiling, runtime } from "./world.ts"

/** The issuer of the server. */
export class Trusted extends Context.Service<Trusted, Issuer>()("aosiq/test/door/http/issuers/Trusted") {}

const groups: Issuers.Issuer["groups"] = {
  claim: "groups",
  name: "preferred_username",
  rules: [
    { group: "oncall", role: "approver", ceiling: ceiling() },
    { group: "staff", role: "operator", ceiling: ceiling("tool:refund") }
  ]
}

/** The server, its issuer, and the runtime behind it. */
export const served = (limits: Partial<Limits.Limits> = {}) =>
  Layer.unwrap(Effect.map(Trusted, ({ url }) =>
    HttpDoor.layer({ port: 0, limits }).pipe(
      Layer.provide(OidcIssuers.layer({
        version: 1,
        issuers: [{ issuer: url, audience, groups, skewSeconds: 0 }]
      }))
    ))).pipe(
      Layer.provideMerge(Layer.effect(
        Trusted,
        Effect.flatMap(DateTime.now, (now) => start(Math.floor(DateTime.toEpochMillis(now) / 1000)))
      )),
      Layer.provideMerge(runtime)
    )
