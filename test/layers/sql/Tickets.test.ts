/** Tickets of an earlier version, after the migration that taught them more. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { readdirSync, readFileSync } from "node:fs"
import { NodeDigest } from "../../../layers/node/index.ts"
import { SqlStore } from "../../../layers/sql/index.ts"
import { Ticket } from "../../../src/approval/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { inMemory } from "./databases.ts"

const folder = new URL("../../../migrations/", import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith(".sql")).toSorted()

const apply = (names: ReadonlyArray<string>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.forEach(names, (name) => {
      const text = readFileSync(new URL(name, folder), "utf8")
      return sql.unsafe(`do $block$ begin ${text}\nend $block$`).raw
    }))

const hash = "a".repeat(64)
/** As the first version filed it. */
const legacy = (id: string, state: string) => ({
  id,
  session: "ses_1.a",
  act: "refund",
  args: hash,
  binding: hash,
  shown: {
    act: "refund",
    description: "pays",
    args: `{"o":"ü"}`,
    reasons: "",
    evidence: ["ses_1/3"],
    estimateMicroUsd: 0
  },
  requester: "ada",
  state,
  votes: state === "proposed" ? [] : [{ by: "grace", approve: state !== "denied", reason: "", at: 5 }],
  proposedAt: 1,
  expiresAt: 9_000_000_000_000
})

describe("the migration of tickets", () => {
  it.live("leaves what was decided, and lets what still waits ask again", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const at = files.indexOf("0003_rules.sql")
      yield* apply(files.slice(0, at))
      for (const state of Ticket.State.literals) {
        const ticket = legacy(`T-${state}`, state)
        const { id, session } = ticket
        yield* sql`insert into aosiq_tickets ${sql.insert({ id, session, state, ticket: JSON.stringify(ticket) })}`
      }
      yield* apply(files.slice(at))
      const store = yield* Store.Store
      const tickets = yield* store.tickets()
      const decode = Schema.decodeUnknownEffect(Schema.Array(Ticket.Ticket), { onExcessProperty: "error" })
      assert.deepStrictEqual(yield* decode(tickets), tickets)
      for (const ticket of tickets) {
        assert.deepStrictEqual(ticket.shown.evidence, [
          { stamp: "ses_1/3", act: null, preview: "not looked up", trust: "untrusted" }
        ])
        assert.deepInclude(ticket, { key: null, requester: "ada" })
        assert.deepInclude(ticket.shown, { caller: "ada", args: `{"o":"ü"}` })
        // Nothing of it is what it is bound to, so nobody decides it any more, and no act runs by it.
        assert.notStrictEqual(Ticket.bindingOf(NodeDigest.digest, ticket), ticket.binding)
      }
      const due = yield* store.overdue(1, 10)
      assert.sameMembers(due.map(({ id }) => String(id)), ["T-approved", "T-proposed"])
    }).pipe(Effect.provide(
      SqlStore.layer.pipe(Layer.provide(NodeDigest.layer), Layer.provideMerge(inMemory))
    )), 60_000)
})
