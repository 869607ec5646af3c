/**
 * An example for every request and every answer of the definition, made from its own JSON Schema: what a field holds follows
 * from its name, so that whatever is added to the API has its examples with it. A test reads each back.
 */
import { Predicate } from "effect"

/** The document with its examples. */
export const within = (document: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const components = member(member(document, "components"), "schemas")
  const sample = (schema: unknown, name: string) => sampleOf(schema, { name, components, depth: 0 })
  const exampled = (media: unknown, name: string): unknown =>
    Predicate.isObject(media) ? { ...media, example: exampleOf(name, sample(member(media, "schema"), "")) } : media
  const contents = (holder: unknown): unknown => {
    const content = member(holder, "content")
    return Predicate.isObject(holder) && Predicate.isObject(content)
      ? { ...holder, content: mapped(content, exampled) }
      : holder
  }
  const parameter = (one: unknown): unknown =>
    Predicate.isObject(one) ? { ...one, example: sample(member(one, "schema"), String(member(one, "name"))) } : one
  const operation = (one: unknown): unknown => {
    if (!Predicate.isObject(one)) return one
    const { parameters, requestBody, responses } = { parameters: [], responses: {}, requestBody: undefined, ...one }
    return {
      ...one,
      ...Array.isArray(parameters) ? { parameters: parameters.map(parameter) } : {},
      ...requestBody === undefined ? {} : { requestBody: contents(requestBody) },
      ...Predicate.isObject(responses) ? { responses: mapped(responses, contents) } : {}
    }
  }
  const paths = member(document, "paths")
  return {
    ...document,
    ...Predicate.isObject(paths)
      ? { paths: mapped(paths, (path) => Predicate.isObject(path) ? mapped(path, operation) : path) }
      : {}
  }
}

// internal

interface At {
  readonly name: string
  /** The field around it. */
  readonly within?: string
  readonly components: unknown
  readonly depth: number
}

/** Schemas of JSON itself have no bottom. */
const maxDepth = 8

const member = (value: unknown, name: string): unknown =>
  Predicate.isObject(value) && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined

const mapped = (object: object, f: (value: unknown, name: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value, name)]))

/** What is sent of it: JSON, lines of JSON, or an event. */
const exampleOf = (type: string, sample: unknown): unknown => {
  if (type === "application/jsonl") return `{"format":"…"}\n`
  if (type !== "text/event-stream") return sample
  const fields = ["id", "event", "data"].flatMap((name) => {
    const value = member(sample, name)
    return value === undefined ? [] : [`${name}: ${String(value)}`]
  })
  return `${fields.join("\n")}\n\n`
}

const sampleOf = (schema: unknown, at: At): unknown => {
  const reference = member(schema, "$ref")
  if (Predicate.isString(reference)) {
    return sampleOf(member(at.components, reference.slice(reference.lastIndexOf("/") + 1)), at)
  }
  const choices = member(schema, "enum") ?? member(schema, "anyOf") ?? member(schema, "oneOf")
  if (Array.isArray(choices)) {
    return member(schema, "enum") === undefined ? sampleOf(choices[0], at) : choices[0]
  }
  const nested = { ...at, depth: at.depth + 1 }
  switch (member(schema, "type")) {
    case "object":
      return objectOf(schema, nested)
    case "array": {
      const [first] = [member(schema, "prefixItems")].flat()
      const items = first ?? member(schema, "items")
      return at.depth > maxDepth || !Predicate.isObject(items) ? [] : [sampleOf(items, nested)]
    }
    case "string": {
      const content = member(schema, "contentSchema")
      return content === undefined ? textOf(at) : JSON.stringify(sampleOf(content, nested))
    }
    case "number":
    case "integer":
      return numberOf(at.name, schema)
    case "boolean":
      return true
    case "null":
      return null
    default:
      return { order: "o-1" }
  }
}

/** What an object must have, and what can be but one thing; where it need not have anything, all that it may. */
const objectOf = (schema: unknown, at: At): Record<string, unknown> => {
  const properties = member(schema, "properties")
  if (!Predicate.isObject(properties)) return {}
  const required = member(schema, "required")
  const names: ReadonlyArray<string> = Array.isArray(required) ? required : Object.keys(properties)
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) =>
      names.includes(name) || isFixed(property) ? [[name, sampleOf(property, { ...at, name, within: at.name })]] : []
    )
  )
}

const isFixed = (schema: unknown): boolean => {
  const choices = member(schema, "enum")
  return Array.isArray(choices) && choices.length === 1
}

const numberOf = (name: string, schema: unknown): number => {
  const least = Number(member(schema, "minimum") ?? 0)
  const value = name === "at" || name.endsWith("At") || name === "until" || name === "instant"
    ? 1_764_150_000_000
    : name.endsWith("MicroUsd") || name === "ceiling"
    ? 50_000
    : 1
  return Math.max(least, value)
}

const hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/** Texts by the name of their field. */
const texts: Readonly<Record<string, string | undefined>> = {
  actor: "Clerk",
  args: hash,
  at: "/order",
  "bound.token": hash,
  policy: hash,
  schema: hash,
  shown: hash,
  title: "in short",
  agent: "Clerk",
  binding: hash,
  by: "ada",
  caller: "ada",
  capabilities: "tool:look",
  capability: "tool:look",
  credential: "0123456789ab",
  createdBy: "ada",
  definition: hash,
  detail: "in words",
  act: "look",
  hash,
  head: hash,
  id: "ses_01M83XVKVS6X4K48P3EDXTNDC5",
  input: hash,
  name: "ada",
  prev: hash,
  reason: "it was looked at",
  result: hash,
  schedule: "nightly",
  session: "ses_01M83XVKVS6X4K48P3EDXTNDC5",
  terms: hash,
  ticket: "T4Q11PTWZ",
  token: "aosiq_0123456789ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  tool: "look",
  unknown: "ses_01M83XVKVS6X4K48P3EDXTNDC5/7",
  until: "2030-01-01T00:00Z"
}
const textOf = ({ name, within }: At): string => texts[`${within}.${name}`] ?? texts[name] ?? `a ${name}`
