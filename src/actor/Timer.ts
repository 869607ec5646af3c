/**
 * Waiting for time to pass. A session that waits holds no thread, connection or memory: its run ends and another one,
 * in this process or in any other, goes on from here when the time has come.
 */
import { Duration, Effect } from "effect"
import { Governor, type GovernorError, type Session } from "../governor/index.ts"

/** Waits this long from when the run first came here. How soon afterwards it goes on depends on the sweep, a second. */
export const sleep = (duration: Duration.Input): Effect.Effect<void, GovernorError, Governor | Session> =>
  Effect.flatMap(Governor, (governor) => governor.sleep(Duration.toMillis(Duration.fromInputUnsafe(duration))))
