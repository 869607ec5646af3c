/**
 * The operations, carried out: one function for each name of the list, which every door calls. What it may do for whom is
 * decided before it does anything, by the one table of permits.
 */
import { Context, Effect, Layer, type Stream } from "effect"
import type { Rpc, RpcGroup } from "effect/rpc"
import type { Note } from "../audit/index.ts"
import * as Admitting from "./Admitting.ts"
import type { Asker } from "./Asker.ts"
import * as Bridging from "./Bridging.ts"
import * as Deciding from "./Deciding.ts"
import { type OperationError, Operations } from "./Operations.ts"
import * as Pages from "./Pages.ts"
import * as Reading from "./Reading.ts"
import * as Running from "./Running.ts"

type Rpcs = RpcGroup.Rpcs<typeof Operations>
type Named<Tag extends Rpcs["_tag"]> = Extract<Rpcs, { readonly _tag: Tag }>

/** One function an operation. Elsewhere than at the desk itself it may fail in other ways as well, and know who asks. */
export type Shape<E = OperationError, R = Asker> =
  & {
    readonly [Tag in Exclude<Rpcs["_tag"], "audit_export">]: (
      payload: Rpc.Payload<Named<Tag>>
    ) => Effect.Effect<Rpc.Success<Named<Tag>>, E, R>
  }
  & {
    readonly audit_export: (
      payload: Rpc.Payload<Named<"audit_export">>
    ) => Stream.Stream<string, E, R>
  }

/** Carries operations out for whoever asks. */
// @effect-diagnostics-next-line leakingRequirements:off -- who asks is another one each time; a door provides it.
export class Desk extends Context.Service<Desk, Shape>()("aosiq/operator/Desk") {}

/** The desk of an installation that signs with `keys`, and the same lists page by page. */
export const layer = (keys: ReadonlyArray<Note.Key>) => Layer.merge(layerDesk(keys), Pages.layer)

/** The operations by message, over the desk. */
export const layerMessages = Operations.toLayer(Effect.map(Desk, (desk) => Operations.of(desk)))

// internal

const layerDesk = (keys: ReadonlyArray<Note.Key>) =>
  Layer.effect(
    Desk,
    Effect.gen(function*() {
      return Desk.of({
        ...(yield* Deciding.make),
        ...(yield* Running.sessions),
        ...(yield* Running.schedules),
        ...(yield* Reading.make(keys)),
        ...(yield* Admitting.make),
        ...(yield* Bridging.make)
      })
    })
  )
