/**
 * The JSON Schema of a tool's arguments as an object, which is all that vendors take: neither a union nor a reference may
 * stand at its top. A union of objects becomes one object that admits all that its members admit, and says in words which
 * properties go together. What is too wide here is refused where arguments are decoded.
 */
import { Option } from "effect"

/** A schema of an object. */
export interface ObjectSchema {
  readonly type: "object"
  readonly [keyword: string]: unknown
}

/** The schema as an object's; none when it describes something else. */
export const of = (written: Fields): Option.Option<ObjectSchema> => {
  const { $defs, ...root } = written
  const definitions = isFields($defs) ? $defs : {}
  const schema = resolved(root, definitions)
  const members = membersOf(schema, definitions)
  const object = members === undefined ? plain(schema) : Option.map(all(members.map(plain)), merged)
  return Option.map(object, (found) => $defs === undefined ? found : { ...found, $defs })
}

// internal

interface Fields {
  readonly [field: string]: unknown
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** References at the top that lead through each other are followed so far. */
const maxReferences = 8

const resolved = (schema: Fields, definitions: Fields): Fields => {
  let found = schema
  for (let step = 0; step < maxReferences; step++) {
    const { $ref } = found
    const name = typeof $ref === "string" ? /^#\/\$defs\/(.+)$/.exec($ref)?.[1] : undefined
    const definition = name === undefined ? undefined : definitions[name.replaceAll("~1", "/").replaceAll("~0", "~")]
    if (!isFields(definition)) return found
    found = definition
  }
  return found
}

const membersOf = (schema: Fields, definitions: Fields): ReadonlyArray<Fields> | undefined => {
  const union = schema["anyOf"] ?? schema["oneOf"]
  return Array.isArray(union)
    ? union.filter(isFields).flatMap((member) => {
      const one = resolved(member, definitions)
      return membersOf(one, definitions) ?? [one]
    })
    : undefined
}

/** A tool without parameters has a schema that says nothing of objects. */
const plain = (schema: Fields): Option.Option<ObjectSchema> => {
  const { not, ...rest } = schema
  return "allOf" in rest || "$ref" in rest || (rest["type"] ?? "object") !== "object"
    ? Option.none()
    : Option.some({ ...rest, type: "object" })
}

const all = (members: ReadonlyArray<Option.Option<ObjectSchema>>): Option.Option<ReadonlyArray<ObjectSchema>> =>
  members.length === 0 ? Option.none() : Option.all(members)

const merged = (members: ReadonlyArray<ObjectSchema>): ObjectSchema => {
  const [first, ...rest] = members
  if (first === undefined || rest.length === 0) return first ?? { type: "object" }
  const names = [...new Set(members.flatMap((member) => Object.keys(propertiesOf(member))))]
  const required = names.filter((name) => members.every((member) => requiredOf(member).includes(name)))
  return {
    type: "object",
    description: `One of: ${members.map(told).join("; or ")}.`,
    properties: Object.fromEntries(names.flatMap((name) => {
      const schemas = members.flatMap((member) => propertiesOf(member)[name] ?? []).filter(isPossible)
      return schemas.length === 0 ? [] : [[name, either(schemas)]]
    })),
    ...(required.length === 0 ? {} : { required }),
    // A property that one member does not know is another's.
    additionalProperties: members.some(({ additionalProperties }) => additionalProperties !== false)
  }
}

const propertiesOf = ({ properties }: Fields): Fields => isFields(properties) ? properties : {}
const requiredOf = ({ required }: Fields): ReadonlyArray<unknown> => Array.isArray(required) ? required : []

/** A property that must not be there has a schema that nothing fits. */
const isPossible = (schema: unknown): boolean =>
  !(isFields(schema) && isFields(schema["not"]) && Object.keys(schema["not"]).length === 0)

const either = (schemas: ReadonlyArray<unknown>): unknown => {
  const different = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
  if (different.length === 1) return different[0]
  const words = different.flatMap((schema) =>
    isFields(schema) && schema["type"] === "string" && Array.isArray(schema["enum"]) ? [schema["enum"]] : []
  )
  return words.length === different.length
    ? { type: "string", enum: [...new Set(words.flat())] }
    : { anyOf: different }
}

/** Which properties a member has, by the words that tell it from the others. */
const told = (member: ObjectSchema): string => {
  const properties = propertiesOf(member)
  return Object.keys(properties).filter((name) => isPossible(properties[name])).map((name) => {
    const schema = properties[name]
    const only = isFields(schema) && Array.isArray(schema["enum"]) && schema["enum"].length === 1
      ? ` ${JSON.stringify(schema["enum"][0])}`
      : ""
    return `${name}${only}${requiredOf(member).includes(name) ? "" : " (optional)"}`
  }).join(", ")
}
