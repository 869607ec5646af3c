/** A capability that is misspelt does not compile: its kind where it is written, its name where it is used. */
import { Schema } from "effect"
import { Actor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { notes } from "./definitions.ts"

export const tool = Tool.make("x", {
  description: "x",
  // @ts-expect-error Type '"tol:x"' is not assignable to type '`backend:${string}` | `kb:${string}`
  capabilities: ["tol:x"],
  params: Schema.Struct({}),
  success: Schema.String
})

// @ts-expect-error Type '"tol:x"' is not assignable to type '`backend:${string}` | `kb:${string}`
export const grant = Grant.make(["tool:read_file", "tol:x"])

// @ts-expect-error Argument of type '"tol:x"' is not assignable to parameter of type '`backend:${string}` | `kb:${string}`
export const owned = Actor.own("tol:x")

// @ts-expect-error "this grant does not hold": "tool:raed_file"
export const narrowed = notes.narrow(["tool:raed_file"])

/** A wildcard stands for resources, never for names. */
// @ts-expect-error "this grant does not hold": "tool:read_file"
export const starred = Grant.make(["tool:*"]).narrow(["tool:read_file"])
