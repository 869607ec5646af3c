/** What an operator may say of issuers, and what is not understood and starts nothing. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Redacted } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { OidcSettings } from "../../../layers/oidc/index.ts"
import { defaultTerms } from "../../../src/capability/index.ts"
import { Issuers } from "../../../src/session/index.ts"

const issuer = { issuer: "https://login.example", audience: "aosiq" }
const parse = (...issuers: ReadonlyArray<unknown>) =>
  Effect.exit(OidcSettings.parse("oidc.yaml", JSON.stringify({ version: 1, issuers })))
const from = (env: Record<string, string>) =>
  OidcSettings.fromConfig.pipe(
    Effect.provide([NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromUnknown(env))]),
    Effect.exit
  )

describe("settings of issuers", () => {
  it.effect("are those that the guide shows", () =>
    Effect.gen(function*() {
      const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/callers.md"), "utf8")
      const [, text = ""] = /```yaml\n([^]*?)```/.exec(guide) ?? []
      const { issuers: [one] } = yield* OidcSettings.parse("guide", text)
      assert.deepInclude(one, { issuer: "https://login.example", audience: "aosiq", skewSeconds: 30 })
      assert.strictEqual(one?.groups?.rules[0]?.role, "approver")
    }))

  it.effect("with a word that is not understood are none", () =>
    Effect.gen(function*() {
      assert.isTrue(Exit.isSuccess(yield* parse(issuer)))
      const bad: ReadonlyArray<ReadonlyArray<unknown>> = [
        [{ ...issuer, issuer: "http://login.example" }],
        [{ ...issuer, issuer: "https://user:word@login.example" }],
        [{ ...issuer, issuer: "https://login.example/?a=b" }],
        [{ ...issuer, issuer: "https://login.example/#a" }],
        [{ ...issuer, issuer: "http://127.0.0.1.example" }],
        [{ ...issuer, issuer: "http://169.254.169.254" }],
        [{ ...issuer, issuer: "login.example" }],
        [{ ...issuer, jwksUri: "file:///etc/passwd" }],
        [{ ...issuer, jwksUri: "http://keys.example" }],
        [{ ...issuer, algorithms: ["HS256"] }],
        [{ ...issuer, algorithms: ["none"] }],
        [{ ...issuer, algorithms: [] }],
        [{ ...issuer, skewSeconds: 301 }],
        [{ ...issuer, audience: "" }],
        [{ ...issuer, audiance: "aosiq" }],
        [{ issuer: issuer.issuer }],
        [issuer, issuer],
        [{ ...issuer, groups: { claim: "groups", rules: [{ group: "g", role: "owner", ceiling: {} }] } }]
      ]
      for (const issuers of bad) assert.isTrue(Exit.isFailure(yield* parse(...issuers)), JSON.stringify(issuers))
    }))

  it.effect("are named by a file, or by two variables, and not by half", () =>
    Effect.gen(function*() {
      const [AOSIQ_OIDC_ISSUER, AOSIQ_OIDC_AUDIENCE] = [issuer.issuer, issuer.audience]
      assert.deepStrictEqual(yield* from({}), Exit.succeed(OidcSettings.none))
      assert.deepStrictEqual(
        yield* from({ AOSIQ_OIDC_ISSUER, AOSIQ_OIDC_AUDIENCE }),
        Exit.succeed({ version: 1 as const, issuers: [issuer] })
      )
      for (
        const env of [
          { AOSIQ_OIDC_ISSUER },
          { AOSIQ_OIDC_AUDIENCE },
          { AOSIQ_OIDC: "/nowhere/oidc.yaml" },
          { AOSIQ_OIDC: "/nowhere/oidc.yaml", AOSIQ_OIDC_ISSUER, AOSIQ_OIDC_AUDIENCE }
        ]
      ) assert.isTrue(Exit.isFailure(yield* from(env)), JSON.stringify(env))
    }))

  it.effect("that there are none of trust nobody", () =>
    Effect.gen(function*() {
      const { verify } = yield* Issuers.Current
      assert.strictEqual((yield* Effect.flip(verify(Redacted.make("a.b.c")))).reason._tag, "Unfit")
    }))

  it("give a place by the first rule that fits", () => {
    const ceiling = { ...defaultTerms, capabilities: [] }
    const rules = [
      { group: "a", role: "viewer" as const, ceiling },
      { group: "b", role: "admin" as const, ceiling }
    ]
    const of = (...groups: ReadonlyArray<string>) =>
      Issuers.placeOf({ ...issuer, groups: { claim: "groups", rules } }, { groups, name: null })?.role ?? null
    assert.deepStrictEqual([of(), of("c"), of("b"), of("b", "a"), of("A")], [null, null, "admin", "viewer", null])
    assert.isNull(Issuers.placeOf(issuer, { groups: ["a"], name: null }))
  })
})
