/** Nobody starts an actor that needs more than was granted, and no actor that spawns holds less than it says. */
// @effect-diagnostics missingEffectContext:off
import { Effect } from "effect"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { type Capability, Grant } from "../../src/capability/index.ts"
import type { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Note, Read, Reader, Shipper, texts } from "./definitions.ts"

declare const dispatch: Dispatch.Dispatch["Service"]
declare const held: ReadonlyArray<Capability.Name>
const caller = "ada"
const reading = Grant.make(["tool:read_file"])

// --- dispatch ----------------------------------------------------------------

export const enough = dispatch.start(Reader, "a", { grant: reading, caller })
// @ts-expect-error "the actor needs capabilities this grant does not hold": "spawn:Reader" | "tool:deploy"
export const tooSmall = dispatch.start(Shipper, "v2", { grant: reading, caller })
// @ts-expect-error "the actor needs capabilities this grant does not hold": "tool:read_file"
export const misspelt = dispatch.start(Reader, "a", { grant: Grant.make(["tool:raed_file"]), caller })
// @ts-expect-error "no actor fits a grant whose names are known only at run time": `backend:${string}` | `kb:${string}`
export const unknownGrant = dispatch.start(Reader, "a", { grant: Grant.make(held), caller })
/** What is not registered cannot be started. */
// @ts-expect-error Type 'Registered<"Reader">' is not assignable to type 'never'
export const unregistered = Effect.runFork(dispatch.start(Reader, "a", { grant: reading, caller }))

// --- delegation --------------------------------------------------------------

export const delegated = Actor.delegate(Reader, reading, "a")
// @ts-expect-error "the actor needs capabilities this grant does not hold": "tool:deploy"
export const childNeedsMore = Actor.delegate(Shipper, Grant.make(["tool:read_file", "spawn:Reader"]), "v2")
// @ts-expect-error "the actor needs capabilities this grant does not hold": "spawn:Reader" | "tool:deploy"
export const ownNeedsMore = Effect.flatMap(Actor.own("tool:read_file"), (own) => Actor.delegate(Shipper, own, "v2"))

const Noter = DeterministicActor.make("Noter", { ...texts, tools: [Note], run: (text) => Tool.call(Note, { text }) })
export const patternCovers = Actor.delegate(Noter, Grant.make(["memory:write@notes/*"]), "a")
// @ts-expect-error "the actor needs capabilities this grant does not hold": "memory:write@notes/today"
export const patternMisses = Actor.delegate(Noter, Grant.make(["memory:write@private/*"]), "a")

// --- a parent declares what its children need --------------------------------

export const parent = DeterministicActor.make("Parent", {
  ...texts,
  tools: [Reader.tool],
  run: (path) => Effect.orDie(Actor.spawn(Reader, path))
})
export const undeclaredChild = DeterministicActor.make("Parent", {
  ...texts,
  tools: [Read],
  // @ts-expect-error "no tool of this actor declares": "spawn:Reader"
  run: (path) => Effect.orDie(Actor.spawn(Reader, path))
})
export const undeclaredGrandchild = DeterministicActor.make("Parent", {
  ...texts,
  tools: [Reader.tool],
  // @ts-expect-error "no tool of this actor declares": "spawn:Shipper" | "tool:deploy"
  run: (path) => Effect.orDie(Actor.spawn(Shipper, path))
})
export const undeclaredOwn = DeterministicActor.make("Parent", {
  ...texts,
  tools: [],
  // @ts-expect-error "no tool of this actor declares": "spawn:Reader" | "tool:read_file"
  run: (path) => Effect.orDie(Effect.flatMap(Actor.own("tool:read_file"), (own) => Actor.delegate(Reader, own, path)))
})

// --- erased types fit nothing ------------------------------------------------

const erasedTools: ReadonlyArray<Tool.Any> = [Read]
const Erased = DeterministicActor.make("Erased", { ...texts, tools: erasedTools, run: Effect.succeed })
// @ts-expect-error "no grant fits an actor whose capabilities were erased": string
export const erasedActor = dispatch.start(Erased, "a", { grant: reading, caller })
// @ts-expect-error "no grant fits an actor whose capabilities were erased": string
export const erasedChild = Actor.delegate(Erased, reading, "a")
// @ts-expect-error "no grant fits an actor whose capabilities were erased": string
export const erasedClass = Actor.delegate(Reader as Actor.AnyClass, reading, "a")
