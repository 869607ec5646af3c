/** What every place for callers keeps: one line for each store. */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Redacted } from "effect"
import { SecureRandom } from "effect/crypto"
import { NodeDigest } from "../../layers/node/index.ts"
import { Digest, Installation, Log } from "../../src/audit/index.ts"
import { defaultTerms } from "../../src/capability/index.ts"
import { Governor, Store } from "../../src/governor/index.ts"
import { Caller, Callers, type Issuers, type KnownBy } from "../../src/session/index.ts"
import { Flow } from "../../src/trust/index.ts"

const ceiling: Caller.Ceiling = { ...defaultTerms, capabilities: ["tool:look"] }
let count = 0
const definition = (role: Caller.Role = "operator", name = `caller-${++count}x`): Caller.Definition => ({
  name: Caller.Name.make(name),
  role,
  ceiling
})

/** No act is governed here; the mode is all that is asked for. */
const governor = Layer.succeed(Governor, {
  mode: "enforced",
  labels: Flow.standard,
  policy: Digest.zero,
  act: () => Effect.die("no act"),
  watch: () => Effect.void,
  sleep: () => Effect.void
})
const callers = Callers.layer.pipe(
  Layer.provide(governor),
  Layer.provide(NodeDigest.layer),
  Layer.provide(SecureRandom.layerWebCrypto)
)
/** One more process over the same store. */
const another = Effect.flatMap(
  Layer.build(Layer.fresh(callers)),
  (context) => Effect.provideContext(Callers.Callers, context)
)

const subject = (): typeof KnownBy.Subject.Type => ({
  kind: "subject",
  issuer: "https://login.example",
  subject: `s-${++count}x`
})
const certificate = (): typeof KnownBy.Certificate.Type => ({
  kind: "certificate",
  name: `uri:spiffe://example/${++count}`
})

/** How far the clock was put forward. */
let ahead = 0
const later = (ms: number) => Effect.sync(() => void (ahead += ms))
/** Runs `self` by a clock that is put forward; all else it does as the real one. */
const forward = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (real) => {
    const clock: Clock.Clock = Object.assign(Object.create(real), {
      currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe() + ahead,
      currentTimeMillis: Effect.sync(() => real.currentTimeMillisUnsafe() + ahead)
    })
    return Effect.provideService(self, Clock.Clock, clock)
  })

const admitted = (name: string) =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(Installation.id)),
    (rows) => rows.flatMap(({ body }) => body.kind === "admitted" && body.caller === name ? [body] : [])
  )
const isKnown = (callers: Callers.Callers["Service"], token: Redacted.Redacted) =>
  Effect.map(Effect.exit(callers.authenticate(token)), Exit.isSuccess)

/** Runs the contract against callers over `store`. */
export const suite = <E>(name: string, store: Layer.Layer<Store.Store | Log.Log, E>): void =>
  layer(Layer.provideMerge(callers, store), { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    it.effect("lets in by the token that it gave, and keeps no secret of it", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const store = yield* Store.Store
        const order = definition()
        const { caller, credentials, token } = yield* callers.add(order, "local:ada")
        assert.deepInclude(caller, { ...order, createdBy: "local:ada", revokedAt: null })
        assert.deepStrictEqual(yield* callers.authenticate(token), caller)
        const [credential] = credentials
        const secret = Redacted.value(token).split("_").slice(2).join("_")
        const kept = [
          yield* store.record({ kind: "credential", id: credential?.id ?? "" }),
          yield* store.record({ kind: "caller", id: order.name }),
          yield* admitted(order.name)
        ]
        assert.notInclude(JSON.stringify(kept), secret)
        assert.deepInclude((yield* admitted(order.name))[0], { what: "added", by: "local:ada", detail: "operator" })
      })))

    it.effect("knows nobody by a token that differs in one character, has no secret, or is an actor's", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const { token } = yield* callers.add(definition(), "local:ada")
        const good = Redacted.value(token)
        const last = good.endsWith("A") ? "B" : "A"
        const id = good.split("_")[1] ?? ""
        for (
          const bad of [
            good.slice(0, -1) + last,
            good.slice(0, -1),
            `${good}A`,
            `aosiq_${id}_`,
            "",
            "eyJ.a.b",
            good.toUpperCase()
          ]
        ) {
          const error = yield* Effect.flip(callers.authenticate(Redacted.make(bad)))
          assert.strictEqual(error.reason._tag, "NotKnown", bad)
          assert.notInclude(error.message, good)
        }
      })))

    it.effect("takes no name that may be taken for another", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        yield* callers.add(definition("viewer", "grace"), "local:ada")
        for (const name of ["grace", "aosiq", "governor"]) {
          const error = yield* Effect.flip(callers.add(definition("admin", name), "local:ada"))
          assert.strictEqual(error.reason._tag, "NotPossible")
        }
        assert.lengthOf((yield* callers.list).filter(({ caller }) => caller.name === "grace"), 1)
      })))

    it.effect("changes a token over without a gap, and ends the old one on time", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const order = definition()
        const first = yield* callers.add(order, "local:ada")
        const second = yield* callers.rotate({ caller: order.name, by: "local:ada", overlapMs: 60_000 })
        assert.isTrue(yield* isKnown(callers, first.token))
        assert.isTrue(yield* isKnown(callers, second.token))
        yield* later(60_000 + Callers.freshMs)
        assert.isFalse(yield* isKnown(callers, first.token))
        assert.isTrue(yield* isKnown(callers, second.token))
        // At once, when there is no overlap.
        yield* callers.rotate({ caller: order.name, by: "local:ada", overlapMs: 0 })
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isKnown(callers, second.token))
        assert.deepStrictEqual((yield* admitted(order.name)).map(({ what }) => what), ["added", "rotated", "rotated"])
      })))

    it.effect("keeps out within a second whom another process keeps out", () =>
      forward(Effect.gen(function*() {
        const here = yield* Callers.Callers
        const there = yield* another
        const order = definition()
        const { token } = yield* here.add(order, "local:ada")
        assert.isTrue(yield* isKnown(there, token))
        yield* here.revoke({ caller: order.name, by: "local:ada", reason: "lost" })
        assert.isFalse(yield* isKnown(here, token))
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isKnown(there, token))
        assert.isAtMost(Callers.freshMs, 1000)
        const error = yield* Effect.flip(there.rotate({ caller: order.name, by: "local:ada", overlapMs: 0 }))
        assert.strictEqual(error.reason._tag, "NotPossible")
        assert.deepInclude((yield* admitted(order.name)).at(-1), { what: "revoked", detail: "lost", credential: null })
      })))

    it.effect("withdraws one token and leaves the others", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const order = definition()
        const first = yield* callers.add(order, "local:ada")
        const second = yield* callers.rotate({ caller: order.name, by: "local:ada", overlapMs: 60_000 })
        const id = first.credentials[0]?.id ?? ""
        const left = yield* callers.revoke({ caller: order.name, by: "local:ada", credential: id, reason: "" })
        assert.lengthOf(left.credentials, 1)
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isKnown(callers, first.token))
        assert.isTrue(yield* isKnown(callers, second.token))
        const error = yield* Effect.flip(callers.revoke({ caller: "nobody", by: "local:ada", reason: "" }))
        assert.strictEqual(error.reason._tag, "NoSuchCaller")
      })))

    it.effect("knows a caller by a subject and by a certificate, each of one caller, until they are withdrawn", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const there = yield* another
        const [order, other] = [definition(), definition()]
        const [one, two] = [subject(), certificate()]
        const isOne = (service: Callers.Callers["Service"], ...shown: ReadonlyArray<KnownBy.KnownBy>) =>
          Effect.map(Effect.exit(service.recognise(shown)), Exit.isSuccess)
        assert.isFalse(yield* isOne(callers, one))
        const { credentials } = yield* callers.addKnown(order, one, "local:ada")
        yield* callers.add(other, "local:ada")
        yield* callers.bind({ caller: order.name, knownBy: two, by: "local:ada" })
        yield* later(Callers.freshMs)
        for (const shown of [[one], [two], [subject(), two]]) {
          assert.strictEqual((yield* there.recognise(shown)).name, order.name)
        }
        // Nobody else's too, and by nothing that is but like it.
        for (const knownBy of [one, two]) {
          const error = yield* Effect.flip(callers.bind({ caller: other.name, knownBy, by: "local:ada" }))
          assert.strictEqual(error.reason._tag, "NotPossible")
          const again = yield* Effect.flip(callers.addKnown(definition(), knownBy, "local:ada"))
          assert.strictEqual(again.reason._tag, "NotPossible")
        }
        assert.isFalse(yield* isOne(there, { ...one, issuer: `${one.issuer}/` }))
        assert.isFalse(yield* isOne(there, { ...one, subject: one.subject.toUpperCase() }))
        assert.isFalse(yield* isOne(there))
        // What is shown of two callers is nobody's.
        const three = certificate()
        yield* callers.bind({ caller: other.name, knownBy: three, by: "local:ada" })
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isOne(there, two, three))
        // A rotation is about tokens; a withdrawal about what is named.
        yield* callers.rotate({ caller: order.name, by: "local:ada", overlapMs: 0 })
        yield* later(Callers.freshMs)
        assert.isTrue(yield* isOne(there, one))
        const credential = credentials[0]?.id ?? ""
        yield* callers.revoke({ caller: order.name, by: "local:ada", credential, reason: "" })
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isOne(there, one))
        assert.isTrue(yield* isOne(there, two))
        // Once withdrawn it may be somebody else's.
        yield* callers.bind({ caller: other.name, knownBy: one, by: "local:ada" })
        yield* callers.revoke({ caller: order.name, by: "local:ada", reason: "" })
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isOne(there, two))
        assert.strictEqual((yield* there.recognise([one])).name, other.name)
        const what = (yield* admitted(order.name)).map((row) => row.what)
        assert.deepStrictEqual(what, ["added", "bound", "rotated", "revoked", "revoked"])
      })))

    it.effect("lets somebody in by a group once, whoever asks first, and never again after a revocation", () =>
      forward(Effect.gen(function*() {
        const here = yield* Callers.Callers
        const there = yield* another
        const who = subject()
        const name = `group-${who.subject}`
        const place: Issuers.Place = { name, group: "staff", role: "operator", ceiling }
        const met = yield* Effect.all([here.recognise([who], place), there.recognise([who], place)], { concurrency: 2 })
        assert.deepStrictEqual(met.map((caller) => caller.name), [Caller.Name.make(name), Caller.Name.make(name)])
        assert.lengthOf(yield* admitted(name), 1)
        yield* later(Callers.freshMs)
        const moved = yield* there.recognise([who], { ...place, group: "oncall", role: "approver" })
        assert.strictEqual(moved.role, "approver")
        yield* later(Callers.freshMs)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(there.recognise([who]))))
        // A certificate is in no group.
        assert.isTrue(
          Exit.isFailure(yield* Effect.exit(here.recognise([certificate()], { ...place, name: "machine" })))
        )
        // The name is taken, and so is the one that would be mistaken for it.
        const error = yield* Effect.flip(here.recognise([subject()], place))
        assert.strictEqual(error.reason._tag, "NotPossible")
        yield* here.revoke({ caller: name, by: "local:ada", reason: "left" })
        yield* later(Callers.freshMs)
        for (const callers of [here, there]) {
          assert.isTrue(Exit.isFailure(yield* Effect.exit(callers.recognise([who], place))))
        }
        assert.deepStrictEqual((yield* admitted(name)).map(({ what }) => what), ["added", "changed", "revoked"])
      })))

    it.effect("gives no token to whom a group lets in, and lets them in by none", () =>
      forward(Effect.gen(function*() {
        const callers = yield* Callers.Callers
        const store = yield* Store.Store
        const who = subject()
        const name = `group-${who.subject}`
        const place: Issuers.Place = { name, group: "staff", role: "admin", ceiling }
        yield* callers.recognise([who], place)
        const order = { caller: name, by: name, overlapMs: 0 }
        const { reason } = yield* Effect.flip(callers.rotate(order))
        assert.deepInclude(reason, { _tag: "NotPossible", remedy: "add another caller for what needs a token" })
        const kept = yield* store.records({ kind: "credential", owner: name, limit: 10 })
        assert.deepStrictEqual(kept.map(({ id }) => id.split("_")[0]), ["subject"])
        assert.deepStrictEqual((yield* admitted(name)).map(({ what }) => what), ["added"])
        // A token that one was given all the same lets nobody in.
        const { caller, token } = yield* callers.add(definition(), "local:ada")
        assert.isTrue(yield* isKnown(callers, token))
        const found = yield* store.record({ kind: "caller", id: caller.name })
        const body = (yield* admitted(caller.name))[0]
        assert.isDefined(body)
        yield* store.commit({
          _tag: "Append",
          session: Installation.id,
          epoch: null,
          row: { key: null, body },
          payloads: [],
          status: null,
          result: null,
          keep: [Caller.keep({ ...caller, group: "staff" }, found?.version ?? 0)]
        })
        yield* later(Callers.freshMs)
        assert.isFalse(yield* isKnown(callers, token))
      })))
  })
