/** The definition as others read it: valid, and the same that is served. */
import { assert, layer } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Effect } from "effect"
import { OpenApi } from "effect/http-api"
import { Api } from "../../../src/door/http/index.ts"
import { address, send, served } from "./world.ts"

layer(served(), { excludeTestServices: true, timeout: "60 seconds" })("the definition", (it) => {
  it.effect("is a valid OpenAPI document, and every answer that goes wrong is a problem in it", () =>
    Effect.gen(function*() {
      const { json } = yield* send(`${yield* address}/openapi.json`)
      assert.deepStrictEqual(json, JSON.parse(JSON.stringify(OpenApi.fromApi(Api))))
      const { errors, valid } = yield* Effect.promise(() => new Validator().validate(json))
      assert.isTrue(valid, JSON.stringify(errors)?.slice(0, 500))
      for (const [path, methods] of Object.entries<Record<string, { readonly responses: object }>>(json.paths)) {
        for (const [method, { responses }] of Object.entries(methods)) {
          for (const [status, { content }] of Object.entries<{ readonly content?: object }>({ ...responses })) {
            if (Number(status) < 400 || path === "/v1/ready") continue
            assert.deepStrictEqual(
              Object.keys(content ?? {}),
              ["application/problem+json"],
              `${method} ${path} ${status}`
            )
          }
        }
      }
      const docs = yield* send(`${yield* address}/docs`)
      assert.include(docs.headers.get("content-type"), "text/html")
      assert.notMatch(docs.text.slice(0, 2000), /<script[^>]+src="https?:/)
    }))
})
