/** The eleven tools by HTTP, with the official client: who sees and may call which, and what each does. */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import { Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { done, letIn, served } from "../http/world.ts"
import { call, client } from "./world.ts"

const looking = [
  "agents_list",
  "approvals_list",
  "audit_query",
  "audit_verify",
  "cost_summary",
  "proposal_get",
  "session_status"
]
const running = ["session_cancel", "session_dispatch", "swarm_dispatch"]
const deciding = ["approval_decide"]
const seen = {
  viewer: looking,
  operator: [...looking, ...running],
  approver: [...looking, ...deciding],
  admin: [...looking, ...running, ...deciding]
} as const

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "tools",
  (it) => {
    for (const role of ["viewer", "operator", "approver", "admin"] as const) {
      it.effect(`of a ${role} are those of its role, and no others can be called`, () =>
        Effect.gen(function*() {
          const mine = yield* client(yield* letIn(`tools-${role}`, role))
          const { tools } = yield* Effect.promise(() => mine.listTools())
          assert.deepStrictEqual(tools.map(({ name }) => name).toSorted(), [...seen[role]].toSorted())
          for (const name of [...running, ...deciding].filter((name) => !seen[role].some((one) => one === name))) {
            const before = done.length
            const { error } = yield* call(mine, name, { session: "ses_x", reason: "" })
            assert.include(error, "-32602", name)
            assert.strictEqual(done.length, before)
          }
        }).pipe(Effect.scoped), 30_000)
    }

    it.effect("take a key for one order, and refuse it for another", () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("keyed", "operator"))
        const log = yield* Log.Log
        const order = { actor: "Clerk", input: { order: "one" }, key: "k-1" }
        const first = yield* call(mine, "session_dispatch", order)
        const count = (yield* log.sessions).length
        assert.strictEqual((yield* call(mine, "session_dispatch", order)).data.session.id, first.data.session.id)
        const { error } = yield* call(mine, "session_dispatch", { ...order, input: { order: "two" } })
        assert.include(error, "conflict: the key was used before")
        assert.lengthOf(yield* log.sessions, count)
        // A name that no database keeps is refused before one is asked.
        const none = yield* call(mine, "session_status", { session: "ses_\u0000" })
        assert.include(none.error, "U+0000")
      }).pipe(Effect.scoped), 30_000)

    it.effect("say what they are, truly", () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("hints", "admin"))
        const { tools } = yield* Effect.promise(() => mine.listTools())
        for (const { annotations, description, inputSchema, name, outputSchema } of tools) {
          assert.isNotEmpty(description, name)
          assert.isNotEmpty(annotations?.title, name)
          assert.strictEqual(inputSchema["additionalProperties"], false, name)
          assert.strictEqual(outputSchema?.type, "object", name)
          assert.strictEqual(annotations?.readOnlyHint, looking.includes(name) && name !== "audit_verify", name)
          assert.strictEqual(annotations?.destructiveHint, ["approval_decide", "session_cancel"].includes(name), name)
        }
      }).pipe(Effect.scoped))

    it.effect("run the whole of it: dispatch, wait, approve, cancel, look", () =>
      Effect.gen(function*() {
        const log = yield* Log.Log
        const operator = yield* client(yield* letIn("ops", "operator"))
        const approver = yield* client(yield* letIn("judge", "approver"))
        const { data: list } = yield* call(operator, "agents_list")
        assert.deepStrictEqual(list.agents.map(({ name }: { name: string }) => name).toSorted(), ["Clerk", "Shop"])

        const clerk = yield* call(operator, "session_dispatch", {
          actor: "Clerk",
          input: { order: "a" },
          waitSeconds: 20
        })
        assert.strictEqual(clerk.error, null)
        assert.deepInclude(clerk.data.session, { status: "succeeded", caller: "ops" })
        assert.strictEqual(clerk.data.result, "order a")

        const shop = yield* call(operator, "session_dispatch", {
          actor: "Shop",
          input: { order: "b" },
          waitSeconds: 20
        })
        assert.strictEqual(shop.data.session.status, "waiting", JSON.stringify(shop))
        assert.lengthOf(shop.data.waitsFor, 1)
        assert.notInclude(done, "refund b")

        const { data: waiting } = yield* call(approver, "approvals_list")
        const ticket = waiting.tickets.find(({ id }: { id: string }) => id === shop.data.waitsFor[0])
        const other = yield* call(approver, "approval_decide", {
          tickets: [{ id: ticket.id, binding: "0".repeat(64) }],
          approve: true,
          reason: "fine"
        })
        assert.lengthOf(other.data.undecided, 1)
        assert.notInclude(done, "refund b")
        const decided = yield* call(approver, "approval_decide", {
          tickets: [{ id: ticket.id, binding: ticket.binding }],
          approve: true,
          reason: "fine"
        })
        assert.strictEqual(decided.data.decided[0]?.votes[0]?.by, "judge")
        const id = shop.data.session.id
        yield* Effect.repeat(log.session(Claims.SessionId.make(id)), {
          until: Option.exists(({ status }) => status === "succeeded")
        })
        assert.deepStrictEqual(done.filter((one) => one === "refund b"), ["refund b"])
        const status = yield* call(approver, "session_status", { session: id })
        assert.strictEqual(status.data.result, "paid")

        const third = yield* call(operator, "session_dispatch", {
          actor: "Shop",
          input: { order: "c" },
          waitSeconds: 20
        })
        const cancelled = yield* call(operator, "session_cancel", { session: third.data.session.id, reason: "no" })
        assert.strictEqual(cancelled.data.session.status, "cancelled")

        const rows = yield* call(approver, "audit_query", { session: id, limit: 200 })
        assert.deepStrictEqual(
          rows.data.rows.map(({ seq }: { seq: number }) => seq),
          rows.data.rows.map((_: unknown, at: number) => at)
        )
        assert.strictEqual(rows.data.rows[0].kind, "genesis")
        const verified = yield* call(approver, "audit_verify")
        assert.isTrue(verified.data.ok)
        const cost = yield* call(approver, "cost_summary")
        assert.isNotEmpty(cost.data.accounts)
        const proposals = yield* call(approver, "proposal_get", { session: id })
        assert.deepStrictEqual(proposals.data.proposals, [])
      }).pipe(Effect.scoped), 60_000)

    it.effect("refuse with what did not happen, and what would help", () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("refused", "operator"))
        const none = yield* call(mine, "session_status", { session: "ses_none" })
        assert.include(none.error, "not_found: there is no session ses_none")
        assert.include(none.error, "remedy:")
        const input = yield* call(mine, "session_dispatch", { actor: "Clerk", input: { order: 7 } })
        assert.include(input.error, "invalid:")
        const typo = yield* call(mine, "session_dispatch", { actor: "Clerk", input: { order: "x" }, budget: 5 })
        assert.include(typo.error, "budget")
        const others = yield* client(yield* letIn("owner", "operator"))
        const { data } = yield* call(others, "session_dispatch", {
          actor: "Shop",
          input: { order: "d" },
          waitSeconds: 20
        })
        const foreign = yield* call(mine, "session_cancel", { session: data.session.id, reason: "" })
        assert.include(foreign.error, "refused:")
        assert.strictEqual(
          (yield* call(mine, "session_status", { session: data.session.id })).data.session.status,
          "waiting"
        )
      }).pipe(Effect.scoped), 30_000)

    it.effect("fan a list out under one budget, each item a session of its caller", () =>
      Effect.gen(function*() {
        const log = yield* Log.Log
        const mine = yield* client(yield* letIn("swarm", "operator"))
        const order = {
          actor: "Clerk",
          inputs: [{ order: "s1" }, { order: 2 }, { order: "s3" }],
          budgetMicroUsd: 100,
          key: "k"
        }
        const { data } = yield* call(mine, "swarm_dispatch", order)
        assert.deepStrictEqual(data.sessions.map(({ item }: { item: number }) => item), [0, 2])
        assert.deepStrictEqual(data.refused.map(({ item, kind }: { item: number; kind: string }) => [item, kind]), [[
          1,
          "invalid"
        ]])
        const again = yield* call(mine, "swarm_dispatch", order)
        assert.deepStrictEqual(
          again.data.sessions.map(({ session }: { session: { id: string } }) => session.id),
          data.sessions.map(({ session }: { session: { id: string } }) => session.id)
        )
        const { accounts } = (yield* call(mine, "cost_summary")).data
        for (const { session } of data.sessions) {
          const found = Option.getOrThrow(yield* log.session(Claims.SessionId.make(session.id)))
          assert.strictEqual(found.caller, "swarm")
          const own = accounts.find(({ id }: { id: string }) => id === found.accounts[0])
          assert.strictEqual(own.ceiling, 33)
        }
      }).pipe(Effect.scoped), 30_000)
  }
)
