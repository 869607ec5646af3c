/** Forks, on any store: what was done before the row is the fork's past, and what comes after is its own. */
import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option, Schema } from "effect"
import { KeySet } from "../../layers/jose/index.ts"
import { Ed25519, NodeDigest } from "../../layers/node/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Anchor, Cosigning, Digest, Lineage, Log, type Row, Verify } from "../../src/audit/index.ts"
import { Claims, Grant, Tokens } from "../../src/capability/index.ts"
import { GovernorError, Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Look = Tool.make("look", {
  description: "looks",
  capabilities: ["tool:look"],
  params: Schema.String,
  success: Schema.String
})
const Pay = Tool.make("pay", {
  description: "pays",
  capabilities: ["tool:pay"],
  reversible: false,
  params: Schema.String,
  success: Schema.String
})

const done: Array<string> = []
let count = 0
const handlers = Layer.mergeAll(
  Tool.layer(Look, (what) => Effect.sync(() => (done.push(`look ${what}`), `${what} ${++count}`))),
  Tool.layer(Pay, (what) => Effect.sync(() => (done.push(`pay ${what}`), `paid ${what}`)))
)

/** Looks, pays, looks again; and says what it saw. */
const Buyer = DeterministicActor.make("Buyer", {
  description: "buys",
  input: Schema.String,
  output: Schema.Array(Schema.String),
  tools: [Look, Pay],
  run: (what) =>
    Effect.gen(function*() {
      const before = yield* Tool.call(Look, `${what} before`)
      const paid = yield* Tool.call(Pay, what)
      return [before, paid, yield* Tool.call(Look, `${what} after`)]
    })
})
/** Goes on without the payment where people do not want it. */
const Asker = DeterministicActor.make("Asker", {
  description: "asks",
  input: Schema.String,
  output: Schema.String,
  tools: [Look, Pay],
  run: (what) =>
    Effect.gen(function*() {
      const paid = yield* Effect.catch(Tool.call(Pay, what), (error) =>
        error instanceof GovernorError && error.reason._tag === "Refused"
          ? Effect.succeed("no")
          : Effect.fail(error))
      return `${paid} ${yield* Tool.call(Look, what)}`
    })
})

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" }))
}))
const verifying = Layer.mergeAll(Anchor.layerMemory, Cosigning.layerNone, Ed25519.layerVerifier)

const world = <E>(store: Layer.Layer<Store.Store | Log.Log, E>) =>
  Layer.merge(Actor.layer(Buyer), Actor.layer(Asker)).pipe(
    Layer.provide(handlers),
    Layer.provideMerge(core(Mailbox.layerLocal, {})),
    Layer.provideMerge(Layer.mergeAll(store, verifying)),
    Layer.provideMerge(Layer.mergeAll(digest, keys, NodeDigest.layer)),
    Layer.provideMerge(NodeServices.layer)
  )

const grant = Grant.make(["tool:look", "tool:pay"], { budgetMicroUsd: 5000, lifetimeSeconds: 3600 })
const order = { grant, caller: "ada" }
const rowsOf = (id: Claims.SessionId) => Effect.flatMap(Log.Log, (log) => log.rows(id))
const summaryOf = (id: Claims.SessionId) =>
  Effect.map(Effect.flatMap(Log.Log, (log) => log.session(id)), Option.getOrThrow)
const seqOf = (rows: ReadonlyArray<Row.Row>, kind: Row.Body["kind"], act: string) =>
  rows.findIndex(({ body }) => body.kind === kind && "act" in body && body.act === act)

const decide = (ticket: string, approve = true) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by: "grace", approve, reason: "" }))
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const waits = (ended: Dispatch.Ended<unknown>) => ended._tag === "Waiting" ? ended : assert.fail(JSON.stringify(ended))
const output = (ended: Dispatch.Ended<unknown>) =>
  ended._tag === "Succeeded" ? ended.output : assert.fail(JSON.stringify(ended))

/** A session that has bought, and what came of it. */
const bought = (what: string) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const { session, ticket } = waits(yield* dispatch.start(Buyer, what, order))
    yield* decide(ticket)
    const result = output(yield* resume(session))
    return { session, result: result as ReadonlyArray<string>, rows: yield* rowsOf(session) }
  })

let forks = 0
const forked = (origin: Claims.SessionId, from: { readonly seq?: number } = {}, by: Partial<Dispatch.Forking> = {}) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const session = Claims.SessionId.make(`ses_fork${++forks}${origin.slice(4)}`)
    yield* dispatch.fork({ session, origin, ...from, grant, caller: "bob", ...by })
    return session
  })
/** How it stands once it has come to rest. */
const rested = (id: Claims.SessionId) =>
  Effect.andThen(Effect.repeat(summaryOf(id), { until: ({ status }) => status !== "running" }), resume(id))

const sound = Effect.gen(function*() {
  const { findings } = yield* Verify.online({ keys: [], sessions: "all" })
  assert.deepStrictEqual(findings, [])
})

/** Runs the contract against a store. */
export const suite = <E>(name: string, store: Layer.Layer<Store.Store | Log.Log, E>): void =>
  layer(world(store), { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    it.effect("does again nothing that was done before the row, and the rest by itself", () =>
      Effect.gen(function*() {
        const { result, rows, session } = yield* bought("tea")
        const seq = seqOf(rows, "outcome", "pay")
        done.length = 0
        const fork = yield* forked(session, { seq })
        const [before, paid, after] = output(yield* rested(fork)) as ReadonlyArray<string>
        assert.deepStrictEqual([before, paid], result.slice(0, 2))
        assert.notStrictEqual(after, result[2])
        assert.deepStrictEqual(done, ["look tea after"])

        const own = yield* rowsOf(fork)
        assert.deepInclude(own[0]?.body, {
          kind: "genesis",
          caller: "bob",
          parent: null,
          origin: { session, seq, hash: rows[seq]?.hash ?? Digest.zero }
        })
        assert.deepStrictEqual(own.map(({ body }) => body.kind), ["genesis", "started", "intent", "outcome", "ended"])
        const last = (yield* rowsOf(session)).at(-1)
        assert.deepInclude(last?.body, { kind: "noted", what: "forked", by: "bob" })
        assert.include(JSON.stringify(last?.body), fork)
        assert.strictEqual((yield* summaryOf(session)).status, "succeeded")
        yield* sound
      }))

    it.effect("has a name, a token and a budget of its own, no wider than its origin's", () =>
      Effect.gen(function*() {
        const tokens = yield* Tokens.Tokens
        const { session } = yield* bought("oil")
        const wide = Grant.make(["tool:look", "tool:pay"], { budgetMicroUsd: 9_000_000, lifetimeSeconds: 86_400 })
        const narrow = Grant.make(["tool:look", "tool:pay"], { budgetMicroUsd: 10, lifetimeSeconds: 60, depth: 0 })
        const origin = yield* Effect.flatMap(summaryOf(session), ({ token }) => tokens.verify(token, session))
        for (const grant of [wide, narrow]) {
          const fork = yield* forked(session, {}, { grant })
          const { accounts, token } = yield* summaryOf(fork)
          const claims = yield* tokens.verify(token, fork)
          assert.isAtMost(claims.budget, Math.min(origin.budget, grant.terms.budgetMicroUsd))
          assert.isAtMost(claims.exp, Math.min(origin.exp, claims.iat + grant.terms.lifetimeSeconds))
          assert.isAtMost(claims.depth, Math.min(origin.depth, grant.terms.depth))
          assert.deepStrictEqual(claims.capabilities, origin.capabilities)
          // Who revokes the origin revokes what went on from it.
          assert.deepStrictEqual(claims.anc, [origin.jti])
          assert.deepStrictEqual(accounts, [`session:${fork}`, "class:Buyer", "caller:bob"])
          assert.isTrue(yield* Effect.isFailure(tokens.verify(token, session)))
        }
      }))

    it.effect("asks for an approval of its own where the row lies before the act", () =>
      Effect.gen(function*() {
        const { rows, session } = yield* bought("salt")
        done.length = 0
        const fork = yield* forked(session, { seq: seqOf(rows, "outcome", "look") })
        const { ticket } = waits(yield* rested(fork))
        assert.deepStrictEqual(done, [])
        yield* decide(ticket)
        output(yield* resume(fork))
        assert.deepStrictEqual(done, ["pay salt", "look salt after"])
        yield* sound
      }))

    it.effect("goes on from the last row that will do, and from one that was not yet at its end", () =>
      Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const { session, ticket } = waits(yield* dispatch.start(Buyer, "rice", order))
        const fork = yield* forked(session)
        const own = waits(yield* rested(fork))
        assert.notStrictEqual(own.ticket, ticket)
        assert.deepInclude(yield* resume(session), { _tag: "Waiting", ticket })
        done.length = 0
        yield* decide(own.ticket)
        output(yield* resume(fork))
        assert.deepStrictEqual(done, ["pay rice", "look rice after"])
        assert.deepInclude(yield* resume(session), { _tag: "Waiting", ticket })
        yield* sound
      }))

    it.effect("is refused where it would not be honest, and nothing is opened", () =>
      Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const log = yield* Log.Log
        const store = yield* Store.Store
        const { rows, session } = yield* bought("wine")
        const { rows: __, session: gone } = yield* bought("milk")
        const revoked = yield* summaryOf(gone)
        const jti = (yield* Effect.flatMap(Tokens.Tokens, (tokens) => tokens.verify(revoked.token, gone))).jti
        const note: Row.Draft = { key: null, body: { kind: "noted", what: "revoked", by: "ada", detail: "" } }
        yield* store.commit({ _tag: "Revoke", token: jti, session: gone, row: note })
        const before = (yield* log.sessions).length
        done.length = 0
        const intent = seqOf(rows, "intent", "pay")
        const tries: ReadonlyArray<readonly [Claims.SessionId, number | undefined, RegExp]> = [
          [session, intent, /pay is under way.*; fork from row \d+/],
          [session, rows.length + 5, /has no such row/],
          [gone, undefined, /revoked/],
          [Claims.SessionId.make("ses_nobody"), undefined, /there is no session/]
        ]
        for (const [origin, seq, why] of tries) {
          const session = Claims.SessionId.make("ses_refused")
          const from = seq === undefined ? {} : { seq }
          const error = yield* Effect.flip(dispatch.fork({ session, origin, ...from, grant, caller: "bob" }))
          assert.match(error.message, why)
        }
        assert.lengthOf(yield* log.sessions, before)
        assert.deepStrictEqual(done, [])
        // What the refusal names will do.
        const [, row] = /fork from row (\d+)/.exec(
          (yield* Effect.flip(
            dispatch.fork({
              session: Claims.SessionId.make("ses_refused"),
              origin: session,
              seq: intent,
              grant,
              caller: "b"
            })
          )).message
        ) ?? []
        yield* forked(session, { seq: Number(row) })
      }))

    it.effect("is opened once under one name", () =>
      Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const { session } = yield* bought("corn")
        const name = Claims.SessionId.make(`ses_again${session.slice(4)}`)
        const all = yield* Effect.forEach(
          [1, 2, 3],
          () => dispatch.fork({ session: name, origin: session, grant, caller: "bob" }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(all.toSorted(), [false, false, true])
        yield* rested(name)
        const notes = (yield* rowsOf(session)).filter(({ body }) => body.kind === "noted" && body.what === "forked")
        assert.lengthOf(notes, 1)
      }))

    it.effect("does not do what its past was refused", () =>
      Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const { session, ticket } = waits(yield* dispatch.start(Asker, "gold", order))
        yield* decide(ticket, false)
        assert.match(String(output(yield* resume(session))), /^no gold/)
        done.length = 0
        const fork = yield* forked(session)
        assert.match(String(output(yield* rested(fork))), /^no gold/)
        assert.deepStrictEqual(done, [])
        // From before the refusal it asks anew.
        const again = yield* forked(session, { seq: 1 })
        waits(yield* rested(again))
        assert.deepStrictEqual(done, [])
      }))

    it.effect("may be forked itself, and its past is that of all before it", () =>
      Effect.gen(function*() {
        const { result, rows, session } = yield* bought("figs")
        const first = yield* forked(session, { seq: seqOf(rows, "outcome", "pay") })
        const own = output(yield* rested(first)) as ReadonlyArray<string>
        done.length = 0
        const second = yield* forked(first)
        assert.deepStrictEqual(output(yield* rested(second)), own)
        const third = yield* forked(first, { seq: 0 })
        const [before, paid] = output(yield* rested(third)) as ReadonlyArray<string>
        assert.deepStrictEqual([before, paid], result.slice(0, 2))
        assert.deepStrictEqual(done, ["look figs after"])
        const past = yield* Effect.flatMap(
          Effect.all([Log.Log, rowsOf(third)]),
          ([log, rows]) => Lineage.before(log, rows)
        )
        assert.deepStrictEqual(past.map((part) => part.session), [session, first])
        yield* sound
      }))

    it.effect("is found out when its origin is gone, or is another", () =>
      Effect.gen(function*() {
        const log = yield* Log.Log
        const { session } = yield* bought("nuts")
        const fork = yield* forked(session)
        yield* rested(fork)
        const traces = yield* Effect.forEach(
          [session, fork],
          (id) => Effect.map(rowsOf(id), (rows) => Lineage.trace(id, rows))
        )
        assert.deepStrictEqual(Lineage.judge(traces, new Set(), true), [])
        const without = Lineage.judge(traces.slice(1), new Set(), true)
        assert.deepStrictEqual(without.map(({ kind, seq, session }) => [kind, seq, session]), [[
          "bad_genesis",
          0,
          fork
        ]])
        const other = traces.map((one) => ({ ...one, hashes: one.hashes.map(() => Digest.zero) }))
        assert.strictEqual(Lineage.judge(other, new Set(), true)[0]?.session, fork)
        assert.deepStrictEqual(Lineage.judge(traces.slice(1), new Set(), false), [])
        const blind: Log.Log["Service"] = {
          ...log,
          rows: (id, from, limit) =>
            Effect.map(
              log.rows(id, from, limit),
              (rows) => id === session ? rows.map((row) => ({ ...row, hash: Digest.zero })) : rows
            )
        }
        const error = yield* Effect.flip(Effect.flatMap(rowsOf(fork), (rows) => Lineage.before(blind, rows)))
        assert.match(error.detail, /is not what was bound/)
      }))
  })
