/** A process of its own that waits for a time, then creates or rotates the keys in a folder and prints the newest kid. */
import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { Keys } from "../../../layers/jose/index.ts"

const [change, folder = "", startAt = "0"] = process.argv.slice(2)
while (Date.now() < Number(startAt)) { /* all start at once */ }
const kid = change === "rotate"
  ? Keys.rotate(folder)
  : Effect.map(Keys.loadOrCreate(folder), ({ newest }) => newest.jwk.kid)
process.stdout.write(await Effect.runPromise(Effect.provide(kid, NodeServices.layer)))
