/** A grant narrows and never widens: not by asking, not by a pattern, not by assignment. */
import { type Capability, Grant } from "../../src/capability/index.ts"
import { notes } from "./definitions.ts"

declare const held: ReadonlyArray<Capability.Name>
declare const heldTool: `tool:${string}`
declare const readOnly: Grant<"tool:read_file">
declare const readDeploy: Grant<"tool:read_file" | "tool:deploy">

// --- a subset narrows --------------------------------------------------------

export const nothing: Grant<never> = notes.narrow([])
export const exact: Grant<"tool:read_file"> = notes.narrow(["tool:read_file"])
export const inside: Grant<"memory:write@notes/a"> = notes.narrow(["memory:write@notes/a"])
export const tighter: Grant<"memory:write@notes/a*"> = notes.narrow(["memory:write@notes/a*"])
export const anyResource: Grant<"kb:read@wiki"> = Grant.make(["kb:read"]).narrow(["kb:read@wiki"])
export const everyResource: Grant<"kb:read@wiki"> = Grant.make(["kb:read@*"]).narrow(["kb:read@wiki"])
export const subdomain: Grant<"net:fetch@a.example.com"> = Grant.make(["net:fetch@*.example.com"])
  .narrow(["net:fetch@a.example.com"])

// --- what is not a subset does not -------------------------------------------

// @ts-expect-error "this grant does not hold": "tool:deploy"
export const notHeld = notes.narrow(["tool:deploy"])
// @ts-expect-error "this grant does not hold": "net:fetch" | "tool:deploy"
export const twoNotHeld = notes.narrow(["tool:read_file", "tool:deploy", "net:fetch"])
// @ts-expect-error "this grant does not hold": "memory:write@private"
export const outside = notes.narrow(["memory:write@private"])
// @ts-expect-error "this grant does not hold": "memory:read@notes/a"
export const otherName = notes.narrow(["memory:read@notes/a"])
// @ts-expect-error "this grant does not hold": "memory:write@note*"
export const shorterPrefix = notes.narrow(["memory:write@note*"])
// @ts-expect-error "this grant does not hold": "memory:write"
export const withoutResource = notes.narrow(["memory:write"])
// @ts-expect-error "this grant does not hold": "net:fetch@a.example.org"
export const otherDomain = Grant.make(["net:fetch@*.example.com"]).narrow(["net:fetch@a.example.org"])

// --- names known only at run time are held by no type ------------------------

// @ts-expect-error "this grant does not hold": `backend:${string}` | `kb:${string}`
export const asksUnknown = notes.narrow(held)
// @ts-expect-error "this grant does not hold": `tool:${string}`
export const asksSomeTool = notes.narrow([heldTool])
// @ts-expect-error "this grant does not hold": "tool:read_file"
export const holdsUnknown = Grant.make(held).narrow(["tool:read_file"])
// @ts-expect-error "this grant does not hold": "tool:read_file"
export const holdsSomeTool = Grant.make([heldTool]).narrow(["tool:read_file"])

// --- invariance and construction ---------------------------------------------

// @ts-expect-error Type '"tool:deploy"' is not assignable to type '"tool:read_file"'
export const widened: Grant<"tool:read_file" | "tool:deploy"> = readOnly
// @ts-expect-error Type '"tool:deploy"' is not assignable to type '"tool:read_file"'
export const shrunk: Grant<"tool:read_file"> = readDeploy
// @ts-expect-error Type 'Grant<"tool:read_file">' is not assignable to type 'Grant<string>'
export const erased: Grant<string> = readOnly
// @ts-expect-error Constructor of class 'Grant<Held>' is private
export const forged = new Grant(["tool:deploy"], readOnly.terms)
// @ts-expect-error is missing the following properties from type 'Grant<"tool:deploy">': _Held, #names
export const shaped: Grant<"tool:deploy"> = { terms: readOnly.terms, names: ["tool:deploy"], narrow: readOnly.narrow }
