/** A Prometheus that lets its callers wait, until it is told to turn them away. */
import { Effect, type Scope } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** `asked` waits for the next request that is held; `hold` says whether requests are held from now on. */
export interface HeldPrometheus {
  readonly url: string
  readonly asked: Effect.Effect<void>
  readonly hold: (isHolding: boolean) => Effect.Effect<void>
}

/** Listens on a free port of this machine while the scope is open. */
export const heldPrometheus: Effect.Effect<HeldPrometheus, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<Listening>((resume) => {
      let isHolding = true
      let held = 0
      let onHeld = () => {}
      const server = createServer((_request, response) => {
        if (!isHolding) return response.writeHead(503).end()
        held++
        return onHeld()
      })
      const asked = Effect.callback<void>((resume) => {
        onHeld = () => {
          if (held > 0) resume(Effect.void)
        }
        onHeld()
      })
      const hold = (holding: boolean) =>
        Effect.sync(() => {
          isHolding = holding
          held = 0
          server.closeAllConnections()
        })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, asked, hold })))
    }),
    ({ server }) =>
      Effect.callback<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  ),
  ({ asked, hold, server }) => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, hold })
)

// internal

interface Listening extends Pick<HeldPrometheus, "asked" | "hold"> {
  readonly server: ReturnType<typeof createServer>
}
