/**
 * What the official suite expects a server to have, behind the transport and the door of the product: so that it judges these,
 * and not what the product happens to offer.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { McpSchema, McpServer } from "effect/ai"

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
const silence = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"))
const image = McpSchema.ImageContent.make({ data: bytes(pixel), mimeType: "image/png" })
const text = (said: string) => McpSchema.TextContent.make({ text: said })
const embedded = (uri: string, mimeType: string, said: string) =>
  McpSchema.EmbeddedResource.make({ resource: { uri, mimeType, text: said } })

type Content = McpSchema.CallToolResult["content"]
const empty = { type: "object", properties: {} }

const tool = <R>(
  name: string,
  inputSchema: Record<string, unknown>,
  handle: (args: Record<string, string>) => Effect.Effect<Content | McpSchema.CallToolResult, never, R>
) =>
  Effect.gen(function*() {
    const server = yield* McpServer.McpServer
    yield* server.addTool({
      tool: new McpSchema.Tool({
        name,
        description: `what the suite calls ${name}`,
        inputSchema: yield* Effect.orDie(Schema.decodeUnknownEffect(McpSchema.ToolJson)(inputSchema))
      }),
      annotations: Context.empty(),
      handle: ({ arguments: args = {} }) =>
        Effect.map(handle(args), (result) =>
          result instanceof McpSchema.CallToolResult
            ? result
            : new McpSchema.CallToolResult({ content: result })) as never
    })
  })

const of = (...content: Content) => () => Effect.succeed(content)
const client = Effect.flatMap(McpSchema.McpServerClient, ({ getClient }) => getClient)
const notify = Effect.map(McpServer.McpServer, ({ notifications }) => notifications)
const pause = Effect.sleep("60 millis")

const elicit = (message: string, requestedSchema: unknown) =>
  Effect.gen(function*() {
    const reverse = yield* client
    const ask = { mode: "form", message, requestedSchema }
    const request = yield* Effect.orDie(Schema.decodeUnknownEffect(McpSchema.ElicitRequestFormParams)(ask))
    const { action, ...rest } = yield* Effect.orDie(reverse.elicit(request))
    return [
      text(`Elicitation completed: action=${action}, content=${JSON.stringify("content" in rest ? rest.content : {})}`)
    ]
  }).pipe(Effect.scoped)

const strings = (...names: ReadonlyArray<string>) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, { type: "string" }])),
  required: names
})
const titled = (prefix: string, ...titles: ReadonlyArray<string>) =>
  titles.map((title, at) => ({ const: `${prefix}${at + 1}`, title }))
const options = ["option1", "option2", "option3"]

const tools = Effect.gen(function*() {
  const notifications = yield* notify
  yield* tool("test_simple_text", empty, of(text("This is a simple text response for testing.")))
  yield* tool("test_image_content", empty, of(image))
  yield* tool(
    "test_audio_content",
    empty,
    of(McpSchema.AudioContent.make({ data: bytes(silence), mimeType: "audio/wav" }))
  )
  const inside = embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
  yield* tool("test_embedded_resource", empty, of(inside))
  const mixed = embedded("test://mixed-content-resource", "application/json", "{\"test\":\"data\",\"value\":123}")
  yield* tool("test_multiple_content_types", empty, of(text("Multiple content types test:"), image, mixed))
  const log = (data: string) => notifications["notifications/message"]({ level: "info", logger: "test", data })
  yield* tool("test_tool_with_logging", empty, () =>
    Effect.gen(function*() {
      yield* log("Tool execution started")
      yield* pause
      yield* log("Tool processing data")
      yield* pause
      yield* log("Tool execution completed")
      return [text("done")]
    }))
  yield* tool("test_error_handling", empty, () =>
    Effect.succeed(
      new McpSchema.CallToolResult({
        isError: true,
        content: [text("This tool intentionally returns an error for testing")]
      })
    ))
  yield* tool("test_tool_with_progress", empty, () =>
    Effect.gen(function*() {
      const { requestMetadata } = yield* McpSchema.McpServerClient
      const progressToken = requestMetadata?.["progressToken"] as string
      for (const progress of [0, 50, 100]) {
        yield* notifications["notifications/progress"]({ progressToken, progress, total: 100 })
        yield* pause
      }
      return [text("done")]
    }))
  yield* tool("test_sampling", strings("prompt"), ({ prompt = "" }) =>
    Effect.gen(function*() {
      const reverse = yield* client
      const request = { messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 } as never
      const { content } = yield* Effect.orDie(reverse.createMessage(request))
      return [text(`LLM response: ${JSON.stringify(content)}`)]
    }).pipe(Effect.scoped))
  yield* tool(
    "test_elicitation",
    strings("message"),
    ({ message = "" }) => elicit(message, strings("username", "email"))
  )
  yield* tool("test_elicitation_sep1034_defaults", empty, () =>
    elicit("defaults", {
      type: "object",
      properties: {
        name: { type: "string", default: "John Doe" },
        age: { type: "integer", default: 30 },
        score: { type: "number", default: 95.5 },
        status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
        verified: { type: "boolean", default: true }
      }
    }))
  yield* tool("test_elicitation_sep1330_enums", empty, () =>
    elicit("enums", {
      type: "object",
      properties: {
        untitledSingle: { type: "string", enum: options },
        titledSingle: { type: "string", oneOf: titled("value", "First Option", "Second Option", "Third Option") },
        legacyEnum: {
          type: "string",
          enum: ["opt1", "opt2", "opt3"],
          enumNames: ["Option One", "Option Two", "Option Three"]
        },
        untitledMulti: { type: "array", items: { type: "string", enum: options } },
        titledMulti: {
          type: "array",
          items: { anyOf: titled("value", "First Choice", "Second Choice", "Third Choice") }
        }
      }
    }))
  yield* tool("json_schema_2020_12_tool", {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: { address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
    properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
    additionalProperties: false
  }, of(text("fine")))
})

const resource = (uri: string, mimeType: string, content: { readonly text: string } | { readonly blob: Uint8Array }) =>
  McpServer.resource({
    uri,
    name: uri,
    description: `what the suite reads at ${uri}`,
    mimeType,
    content: Effect.succeed({ contents: [{ uri, mimeType, ...content }] })
  })

const user = (content: McpSchema.PromptMessage["content"]): McpSchema.PromptMessage => ({ role: "user", content })

/** Tools, resources and prompts by the names that the suite uses. */
export const fixture = Layer.mergeAll(
  Layer.effectDiscard(tools),
  resource("test://static-text", "text/plain", { text: "This is the content of the static text resource." }),
  resource("test://static-binary", "image/png", { blob: bytes(pixel) }),
  resource("test://watched-resource", "text/plain", { text: "watched" }),
  McpServer.resource`test://template/${McpSchema.param("id", Schema.String)}/data`({
    name: "template",
    description: "what the suite reads by template",
    mimeType: "application/json",
    content: (uri, id) =>
      Effect.succeed({
        contents: [{
          uri,
          mimeType: "application/json",
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` })
        }]
      })
  }),
  McpServer.prompt({
    name: "test_simple_prompt",
    description: "simple",
    content: () => Effect.succeed("This is a simple prompt for testing.")
  }),
  McpServer.prompt({
    name: "test_prompt_with_arguments",
    description: "with arguments",
    parameters: { arg1: Schema.String, arg2: Schema.String },
    completion: { arg1: (input) => Effect.succeed(["paris", "park"].filter((one) => one.startsWith(input))) },
    content: ({ arg1, arg2 }) => Effect.succeed(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)
  }),
  McpServer.prompt({
    name: "test_prompt_with_embedded_resource",
    description: "with a resource",
    parameters: { resourceUri: Schema.String },
    content: ({ resourceUri }) =>
      Effect.succeed([
        user(embedded(resourceUri, "text/plain", "Embedded resource content for testing.")),
        user(text("Please process the embedded resource above."))
      ])
  }),
  McpServer.prompt({
    name: "test_prompt_with_image",
    description: "with an image",
    content: () => Effect.succeed([user(image), user(text("Please analyze the image above."))])
  })
)
