/** The command line's runtime on this machine: an embedded runtime in this process, or the socket of the one that runs. */
import { Effect, Layer, type LogLevel, References, Result, Schedule } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { userInfo } from "node:os"
import { join } from "node:path"
import { Bundle, Note } from "../../src/audit/index.ts"
import { type Looked, over, Runtime, RuntimeError, type Where } from "../../src/door/cli/index.ts"
import { Explain, Operations } from "../../src/operator/index.ts"
import { Control } from "../control/index.ts"
import { Ed25519, NodeDigest } from "../node/index.ts"
import { FolderError, holder } from "../pglite/index.ts"

/** Who sits at the keyboard; by number where the system has no name for them. */
export const user = (): string => {
  const name = Result.try(() => userInfo().username)
  return `local:${Result.getOrElse(name, () => process.getuid?.() ?? "unknown")}`
}

/** The runtime of the command line. */
export const layer: Layer.Layer<Runtime> = Layer.succeed(Runtime, {
  open: (where) => where._tag === "Remote" ? elsewhere(where) : here(where.folder),

  start: (folder, order) =>
    Effect.gen(function*() {
      const { boot, subject } = yield* loaded
      const { diagnose, dispatch, sweeping } = yield* boot(folder, order)
      yield* Effect.forkScoped(sweeping)
      return {
        client: over(yield* Control.connect(folder)),
        subject: subject(order),
        recover: Effect.mapBoth(dispatch.recover, {
          onFailure: explained,
          onSuccess: (runs) => runs.map(Operations.standing)
        }),
        diagnose: Effect.mapError(diagnose(user()), explained)
      }
    }).pipe(Effect.mapError(explained)),

  serve: (folder, order) =>
    Effect.gen(function*() {
      const { serve } = yield* loaded
      return yield* serve(folder, order)
    }).pipe(Effect.mapError(explained)),

  join: (folder, order) =>
    Effect.gen(function*() {
      if ((yield* holderOf(folder)) === undefined) {
        const { working } = yield* loaded
        yield* quietly(working(folder, order))
      }
      return yield* Control.connect(folder)
    }).pipe(
      Effect.retry({ while: isBusy, times: 50, schedule: Schedule.spaced("200 millis") }),
      Effect.mapError(explained)
    ),

  runner: (folder, order) =>
    Effect.gen(function*() {
      const { runner } = yield* loaded
      return yield* runner(folder, order)
    }).pipe(Effect.mapError(explained)),

  verifyBundle: (file, trust) =>
    Effect.gen(function*() {
      const text = yield* read(file, "a bundle")
      const keys = yield* keysIn(trust.keys, "note")
      const witnesses = yield* keysIn(trust.witnesses, "cosignature")
      const seen = yield* Effect.forEach(trust.seen, (file) => read(file, "a checkpoint"))
      return yield* Effect.provideContext(
        Effect.mapError(Bundle.verify(text, { witnesses, seen, ...keys.length === 0 ? {} : { keys } }), (error) =>
          new RuntimeError({
            detail: `${file} is not a whole bundle: ${Explain.explain(error).detail}`,
            remedy: "have it sent again, or written again with aosiq audit export"
          })),
        yield* Effect.scoped(Layer.build(Layer.merge(NodeDigest.layer, Ed25519.layerVerifier)))
      )
    }),

  replay: (tape) =>
    Effect.gen(function*() {
      const { replay } = yield* Effect.promise(() => import("./Replay.ts"))
      return yield* quietly(Effect.scoped(replay(tape)))
    }).pipe(Effect.mapError(explained)),

  policy: (file) =>
    Effect.gen(function*() {
      const { PolicyFile } = yield* Effect.promise(() => import("../policy/index.ts"))
      return Result.match(PolicyFile.look(yield* read(file, "a policy")), {
        onFailure: (mistakes): Looked => ({ policy: null, mistakes }),
        onSuccess: (looked): Looked => ({ ...looked, mistakes: [] })
      })
    }).pipe(Effect.mapError(explained)),

  backends: (order) =>
    Effect.gen(function*() {
      const { check } = yield* Effect.promise(() => import("./Check.ts"))
      return yield* check(order)
    }).pipe(Effect.mapError(explained)),

  witness: ({ logs, ...order }) =>
    Effect.gen(function*() {
      const { start } = yield* Effect.promise(() => import("./StandAloneWitness.ts"))
      return yield* start({ ...order, logs: yield* keysIn(logs, "note") })
    }).pipe(Effect.mapError(explained))
})

// internal

/** The operations of whoever holds the folder. */
const here = (folder: string) =>
  Effect.gen(function*() {
    const other = yield* holderOf(folder)
    if (other === undefined) {
      if (!existsSync(join(folder, "pg"))) {
        return yield* new RuntimeError({
          detail: `there is no data in ${folder}`,
          remedy: "start there first with `aosiq start`, or name the folder with --data"
        })
      }
      const { boot, standard } = yield* loaded
      yield* quietly(boot(folder, standard))
    }
    return over(yield* Control.connect(folder))
  }).pipe(
    // Whoever held the folder may be starting or stopping just now.
    Effect.retry({ while: isBusy, times: 50, schedule: Schedule.spaced("200 millis") }),
    Effect.mapError(explained)
  )

const read = (file: string, what: string) =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: () => new RuntimeError({ detail: `${file} cannot be read`, remedy: `name ${what} that this user may read` })
  })

/** The operations of a runtime elsewhere. */
const elsewhere = (where: Extract<Where, { readonly _tag: "Remote" }>) =>
  Effect.gen(function*() {
    const { open } = yield* Effect.promise(() => import("./Elsewhere.ts"))
    return yield* open(where)
  })

const publishers = {
  note: "the installation publishes, as aosiq audit keys prints it",
  cosignature: "the witness publishes, as aosiq witness prints it"
} as const

const keysIn = (words: ReadonlyArray<string>, use: Note.Use) =>
  Effect.forEach(
    words,
    (word) =>
      Effect.fromResult(Result.mapError(Note.parseKey(NodeDigest.digest, word, use), (error) =>
        new RuntimeError({
          detail: `${word} is not such a key: ${Note.explain(error)}`,
          remedy: `give the key that ${publishers[use]}`
        })))
  )

/** What runs the actors: loaded where it is needed, since most commands only ask a process that runs. */
const loaded = Effect.promise(() => import("./Boot.ts"))

/** Advice about the installation is for `start`; an operator's command says only what went wrong, unless asked for more. */
const quietly = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(
    References.MinimumLogLevel,
    (level): Effect.Effect<A, E, R> =>
      Effect.provideService(effect, References.MinimumLogLevel, level === usual ? "Error" : level)
  )

const usual: LogLevel.LogLevel = "Info"

const holderOf = (folder: string) =>
  Effect.try({
    try: () => holder(folder),
    catch: () =>
      new RuntimeError({ detail: `${folder} cannot be read`, remedy: "name a folder of this user with --data" })
  })

const isBusy = (error: unknown): boolean =>
  error instanceof Control.ControlError || (error instanceof FolderError && error.holder !== null)

const explained = (error: unknown): RuntimeError =>
  error instanceof RuntimeError ? error : new RuntimeError(Explain.explain(error))
