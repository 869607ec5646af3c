/** The advisor in the whole runtime, in memory, over a folder or over sources of one's own. */
import { Effect, Layer, Schema } from "effect"
import * as CaseFolder from "../../../layers/casefolder/index.ts"
import { AdvisorPreset, Memory } from "../../../layers/presets/index.ts"
import type { OperationalAdvice } from "../../../src/agents/advisor/index.ts"
import { Log } from "../../../src/audit/index.ts"
import type { Backend } from "../../../src/backend/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { Dispatch } from "../../../src/session/index.ts"
import * as Folder from "../../layers/logfiles/Folder.ts"

/** The runtime without sources. */
export const runtime = Memory.layer()

/** A folder with these files, as sources. */
export const recorded = (files: Readonly<Record<string, string>>) =>
  Layer.unwrap(Effect.map(Folder.make(files), (directory) => CaseFolder.layer({ directory })))

export type AdvisorBackend = Backend.Backend<(typeof OperationalAdvice)["backends"][number]>

/** One diagnosis on the backend, over the sources in reach; `ticket` is where its proposal goes. */
export const diagnose = (backend: AdvisorBackend, ticket: string | null = null) =>
  Effect.gen(function*() {
    const { diagnosis, layer } = yield* AdvisorPreset.make(backend)
    return yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const order = { request: { title: "Something is wrong", description: "Look at shop." }, ticket }
      return yield* dispatch.start(diagnosis, order, { grant: AdvisorPreset.grant(1_000_000), caller: "ada" })
    }).pipe(Effect.provide(layer))
  })

/** Every session there is, oldest first. */
export const sessions = Effect.flatMap(Log.Log, (log) => log.sessions)

/** What a token says, unverified. */
export const claimsOf = (token: string): Claims.Claims => {
  const [, payload = ""] = token.split(".")
  return Schema.decodeUnknownSync(Claims.Claims)(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")))
}
