/** The definition as others read it: valid, and the same that is served. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Effect, Option, Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { Event } from "../../../src/door/http/Api.ts"
import { summaries } from "../../../src/door/http/Described.ts"
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
      const policy = docs.headers.get("content-security-policy") ?? ""
      assert.notMatch(policy, /https?:|\*/)
      for (const part of ["default-src 'none'", "connect-src 'self'", "form-action 'none'"]) {
        assert.include(policy, part)
      }
    }))

  it.effect("says of each operation what it does, and of no other", () =>
    Effect.sync(() => {
      assert.deepStrictEqual(Object.keys(summaries).toSorted(), [...operations.keys()].toSorted())
      for (const { operationId, summary } of operations.values()) assert.strictEqual(summary, summaries[operationId])
    }))
})

interface Media {
  readonly example?: unknown
}
interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly in: string; readonly example?: unknown }>
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}

const document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> } = JSON.parse(
  JSON.stringify(OpenApi.fromApi(Api))
)
const operations = new Map(
  Object.values(document.paths).flatMap((path) => Object.values(path)).map((one) => [one.operationId, one])
)

/** The first of the schemas that reads the example and writes the very same. */
const readBack = (schemas: ReadonlyArray<Schema.Top>, example: unknown) =>
  schemas.some((schema) => {
    // Whatever a schema asks for, none of the API's needs services.
    const codec = Schema.toCodecJson(schema) as Schema.Top as Schema.Codec<unknown>
    const found = Schema.decodeUnknownOption(codec)(example)
    return Option.isSome(found) &&
      JSON.stringify(sorted(Schema.encodeSync(codec)(found.value))) === JSON.stringify(sorted(example))
  })
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]))
    : value

/** What an event's text says, field by field. */
const eventIn = (text: string) =>
  Object.fromEntries(
    text.trim().split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)])
  )

describe("an example", () => {
  let count = 0
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint, errors, group, successes }) => {
      const id = `${group.identifier}.${endpoint.identifier}`
      it(`of everything that ${id} takes and gives is read back as it is`, () => {
        const operation = operations.get(id)
        if (operation === undefined) return assert.fail(`the document has no ${id}`)
        const payloads = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas)
        assert.strictEqual(operation.requestBody !== undefined, payloads.length > 0)
        for (const { example } of Object.values(operation.requestBody?.content ?? {})) {
          assert.isTrue(readBack(payloads, example), `${id} takes ${JSON.stringify(example)}`)
          count++
        }
        for (const [status, { content = {} }] of Object.entries(operation.responses)) {
          for (const [type, { example }] of Object.entries(content)) {
            const schemas = [...successes.get(Number(status)) ?? [], ...errors.get(Number(status)) ?? []]
            const isRead = type === "text/event-stream"
              ? readBack([Event], eventIn(String(example)))
              : type === "application/jsonl"
              ? typeof example === "string"
              : readBack(schemas, example)
            assert.isTrue(isRead, `${id} ${status} ${type}: ${JSON.stringify(example)}`)
            count++
          }
        }
        for (const { example, in: place, name } of operation.parameters) {
          const given = place === "path" ? endpoint.params : place === "query" ? endpoint.query : endpoint.headers
          const fields = given?.ast._tag === "Objects" ? given.ast.propertySignatures : []
          const field = fields.find((property) => property.name === name)
          assert.isDefined(field, `${id} ${name}`)
          assert.isDefined(example, `${id} ${name}`)
          count++
        }
      })
    }
  })
  it("is nowhere missing", () => {
    assert.isAtLeast(count, 500)
    const media = JSON.stringify(document).match(/"content":\{"[^"]+":\{"schema"/g) ?? []
    assert.isAbove(media.length, 300)
  })
})
