/** The check before every operation: the one table says whether who asks may ask for it, about what is whose. */
import { Effect, Stream } from "effect"
import { Asker, type Identity } from "./Asker.ts"
import { OperationError } from "./Operations.ts"
import { admits, type Operation, permits } from "./Permits.ts"

/** Finds out whose something is; `null` when it is nobody's. */
export type OwnerOf<P> = (payload: P, asker: Identity) => Effect.Effect<string | null, OperationError>

/** The operation, carried out for those who may ask for it. `ownerOf` is asked where it matters whose something is. */
export const may = <P, A, R>(
  operation: Operation,
  act: (payload: P, asker: Identity) => Effect.Effect<A, OperationError, R>,
  ownerOf?: OwnerOf<NoInfer<P>>
) =>
(payload: P): Effect.Effect<A, OperationError, R | Asker> =>
  Effect.flatMap(Asker, (asker) =>
    Effect.andThen(
      checked(operation, asker, () => ownerOf?.(payload, asker) ?? Effect.succeed(null)),
      act(payload, asker)
    ))

/** The same for what comes piece by piece. */
export const mayStream = <P, A, R>(
  operation: Operation,
  act: (payload: P) => Stream.Stream<A, OperationError, R>
) =>
(payload: P): Stream.Stream<A, OperationError, R | Asker> =>
  Stream.unwrap(Effect.flatMap(
    Asker,
    (asker) => Effect.as(checked(operation, asker, () => Effect.succeed(null)), act(payload))
  ))

/** The check alone, for what is begun before it is asked for. */
export const check = (operation: Operation): Effect.Effect<void, OperationError, Asker> =>
  Effect.flatMap(Asker, (asker) => checked(operation, asker, () => Effect.succeed(null)))

// internal

const checked = (
  operation: Operation,
  asker: Identity,
  owner: () => Effect.Effect<string | null, OperationError>
): Effect.Effect<void, OperationError> => {
  switch (permits[operation][asker.role]) {
    case "any":
      return Effect.void
    case "none":
      return Effect.fail(refused(operation, asker, "may not ask for it"))
    case "own":
      return Effect.flatMap(owner(), (name) =>
        admits(operation, asker.role, name === asker.name)
          ? Effect.void
          : Effect.fail(refused(operation, asker, "may ask for it about what is its own alone")))
  }
}

const refused = (operation: Operation, { name, role }: Identity, why: string): OperationError =>
  new OperationError({
    kind: "refused",
    detail: `${operation}: ${name} ${why}, in the role ${role}`,
    remedy: "ask somebody whose role it is"
  })
