/** A session is entered from durable state; nobody makes one up or takes one apart. */
// @effect-diagnostics missingEffectContext:off
import { Effect } from "effect"
import type { Claims } from "../../src/capability/index.ts"
import { Entered, Session } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Read } from "./definitions.ts"

declare const entered: Entered
declare const id: Claims.SessionId
const call = Tool.call(Read, { path: "a" })

// @ts-expect-error Constructor of class 'Entered' is private
export const constructed = new Entered(entered, "")
// @ts-expect-error is missing the following properties from type 'Entered': #core, #within, #ordinal
export const copied: Entered = { ...entered, token: "another" }
// @ts-expect-error is missing the following properties from type 'Entered': #core, #within, #ordinal
export const provided = Effect.provideService(call, Session, { ...entered, id })
// @ts-expect-error Cannot assign to 'token' because it is a read-only property
export const altered = () => (entered.token = "another")
// @ts-expect-error Cannot extend a class '"
export class Forged extends Entered {}
// @ts-expect-error is not assignable to type 'never'
export const outside = Effect.runFork(call)
