/** A handler runs when the Governor gave it a permit, for its own capabilities and no others. */
import type { Row } from "../../src/audit/index.ts"
import { Permit } from "../../src/governor/index.ts"
// @ts-expect-error Module '"../../src/governor/index.ts"' has no exported member 'issue'
import { issue } from "../../src/governor/index.ts"
import type { Tool } from "../../src/tool/index.ts"
import type { Read } from "./definitions.ts"

declare const handler: Tool.Implementation<typeof Read, never>
declare const reading: Permit<"tool:read_file">
declare const noting: Permit<"memory:write@notes/today">
declare const both: Permit<"tool:read_file" | "memory:write@notes/today">
declare const stamp: Row.Stamp

export const permitted = handler({ path: "a" }, reading)
// @ts-expect-error Expected 2 arguments, but got 1
export const without = handler({ path: "a" })
// @ts-expect-error is missing the following properties from type 'Permit<"tool:read_file">': _issued, #idempotencyKey
export const made = handler({ path: "a" }, { stamp, idempotencyKey: "", _Capabilities: reading._Capabilities })
// @ts-expect-error Argument of type 'Permit<"memory:write@notes/today">' is not assignable to parameter of type 'Permit<"tool:read_file">'
export const another = handler({ path: "a" }, noting)
// @ts-expect-error Type '"memory:write@notes/today"' is not assignable to type '"tool:read_file"'
export const wider = handler({ path: "a" }, both)
// @ts-expect-error Type 'Permit<"tool:read_file">' is not assignable to type 'Permit<"memory:write@notes/today" | "tool:read_file">'
export const widened: typeof both = reading
// @ts-expect-error Constructor of class 'Permit<N>' is private
export const constructed = new Permit(stamp)
// @ts-expect-error Cannot extend a class '"
export class Forged extends Permit<"tool:read_file"> {}
export const issued = issue(stamp)
