/** `aosiq endorse`: what the command line makes of its flags, and what it says of what came of it. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Console, Effect, Exit } from "effect"
import { Command } from "effect/cli"
import { RpcClient } from "effect/rpc"
import type { Digest } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { type Client, command, Runtime, Usage, UsageError } from "../../src/door/cli/index.ts"
import { Asker } from "../../src/operator/index.ts"
import { runtimeOf } from "./cli/commands.ts"

const session = "ses_01"
const asked: Array<unknown> = []

/** Runs the command against operations that note what they were asked. */
const aosiq = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    asked.length = 0
    const out: Array<string> = []
    const client = {
      session_endorse: (order: object) =>
        Effect.map(RpcClient.CurrentHeaders, (headers) => {
          // Who gives the order is said beside it.
          asked.push({ ...order, by: headers[Asker.header] })
          return {
            session: Claims.SessionId.make(session),
            terms: "ab".repeat(32) as Digest.Hash,
            holds: false,
            run: null
          }
        })
    }
    const runtime = runtimeOf({
      open: () => Effect.succeed(client as unknown as Client) // The only operation that the command asks for.
    })
    const exit = yield* Effect.exit(
      Command.runWith(command({ version: "0", user: "local:ada" }), { version: "0" })(["endorse", ...args]).pipe(
        Effect.provideService(Runtime, runtime),
        Effect.provideService(Console.Console, { ...console, log: (...all) => void out.push(all.join(" ")) }),
        Effect.provide(Usage.layer)
      )
    )
    return { exit, out: out.join("\n") }
  }).pipe(Effect.provide(NodeServices.layer))

const purpose = ["--for", "send_mail", "--argument", "to", "--until", "2030-01-01T00:00Z"]

describe("aosiq endorse", () => {
  it.effect("vouches for values, in the name of whoever sits there", () =>
    Effect.gen(function*() {
      const { out } = yield* aosiq(session, "--value", "a@x.example", "--value", "b@x.example", ...purpose)
      assert.deepStrictEqual(asked, [{
        session,
        terms: {
          value: ["a@x.example", "b@x.example"],
          for: { tools: ["send_mail"], arguments: ["to"] },
          until: "2030-01-01T00:00Z"
        },
        by: "local:ada",
        reason: ""
      }])
      assert.include(out, "local:ada vouches for it in ses_01")
      assert.include(out, "it does not hold yet")
    }))

  it.effect("vouches for a source, or for a field of it", () =>
    Effect.gen(function*() {
      yield* aosiq(session, "--source", "read_mail:sender", "--for", "send_mail", "--until", "2030-01-01T00:00Z")
      assert.deepStrictEqual(asked, [{
        session,
        terms: {
          source: { tool: "read_mail", path: "sender" },
          for: { tools: ["send_mail"] },
          until: "2030-01-01T00:00Z"
        },
        by: "local:ada",
        reason: ""
      }])
    }))

  it.effect("asks nothing where the flags contradict each other or say no time", () =>
    Effect.gen(function*() {
      for (
        const args of [
          [session, ...purpose],
          [session, "--value", "a", "--source", "b", ...purpose],
          [session, "--value", "a", "--for", "send_mail", "--until", "tomorrow"]
        ]
      ) {
        const { exit } = yield* aosiq(...args)
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof UsageError, args.join(" "))
        assert.deepStrictEqual(asked, [])
      }
    }))
})
