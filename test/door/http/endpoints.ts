/** The endpoints as the OpenAPI document has them, each with a body that its schema takes; and such bodies, altered. */
import { OpenApi } from "effect/http-api"
import { Api } from "../../../src/door/http/index.ts"

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> }
}
const document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> } = JSON.parse(
  JSON.stringify(OpenApi.fromApi(Api))
)
/** Each with a body that its schema takes; `null` where it takes none. */
export const endpoints = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    example: requestBody?.content["application/json"]?.example ?? null
  }))
)

/** JSON with another value, or none, at one of its places. */
export const altered = (json: unknown, at: number, value: unknown): unknown => {
  let left = at % places(json)
  const walk = (one: unknown): unknown => {
    if (left-- === 0) return value
    if (Array.isArray(one)) return one.map(walk)
    if (typeof one !== "object" || one === null) return one
    return Object.fromEntries(Object.entries(one).map(([name, of]) => [name, walk(of)]))
  }
  return walk(json)
}
/** How many places it has. */
export const places = (json: unknown): number =>
  typeof json === "object" && json !== null ? Object.values(json).reduce<number>((sum, one) => sum + places(one), 1) : 1
