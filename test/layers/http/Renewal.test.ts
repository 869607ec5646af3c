/** Certificates that are renewed and taken back while a server listens: what is taken, what is kept, and who is out. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, FileSystem, Layer, Logger, Schedule } from "effect"
import { HttpServer } from "effect/http"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { Agent, request } from "node:https"
import { join } from "node:path"
import { TLSSocket } from "node:tls"
import { HttpDoor } from "../../../layers/http/index.ts"
import { runtime } from "../../door/http/world.ts"
import { forClients, make, type Pair } from "./certificates.ts"

/** How often the files are looked at here, and how long nothing that they hold is missed. */
const everyMs = 50
const looked = Effect.sleep("300 millis")

/** A server whose files are copies that a test changes, and ways to ask it. */
const world = Effect.gen(function*() {
  const made = yield* make
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped()
  const cert = join(folder, "cert")
  const key = join(folder, "key")
  const clientCa = join(folder, "ca")
  const crl = join(folder, "crl")
  const put = (pair: Pair) => (copyFileSync(pair.cert, cert), copyFileSync(pair.key, key))
  put(made.server)
  copyFileSync(made.ca, clientCa)
  copyFileSync(made.takenBack(), crl)
  const said: Array<string> = []
  const logger = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
  const tls = { cert, key, clientCa, clientCrls: [crl], everyMs }
  const context = yield* Layer.build(
    HttpDoor.layer({ port: 0, tls }).pipe(Layer.provide(runtime), Layer.provide(logger))
  )
  const url = HttpDoor.urlOf(Context.get(context, HttpServer.HttpServer), tls)
  /** Whose certificate the server shows on the connection of a request that was answered. */
  const ask = (pair?: Pair, agent = new Agent({ maxCachedSessions: 0 })) =>
    Effect.callback<string, string>((resume) => {
      const own = pair === undefined ? {} : { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }
      const asked = request(`${url}/v1/health`, { ca: readFileSync(made.ca), ...own, agent }, (response) => {
        const { socket } = response
        const shown = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : ""
        response.resume().once("end", () => resume(Effect.succeed(shown)))
      })
      asked.once("error", (error) => resume(Effect.fail(error.message)))
      asked.end()
    })
  const until = <A, E>(effect: Effect.Effect<A, E>, isDone: (exit: Exit.Exit<A, E>) => boolean) =>
    Effect.repeat(Effect.exit(effect), { until: isDone, schedule: Schedule.spaced("20 millis") })
  return { ...made, ask, cert, crl, key, put, said, until }
})

const kept = () => new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 })

describe("a server's certificate that is renewed", () => {
  it.live("is shown on new connections, and open ones go on", () =>
    Effect.gen(function*() {
      const { ask, fingerprintOf, put, renewed, server, until } = yield* world
      const [before, after] = [fingerprintOf(server), fingerprintOf(renewed)]
      const agent = kept()
      assert.strictEqual(yield* ask(undefined, agent), before)
      put(renewed)
      yield* until(ask(), (exit) => Exit.isSuccess(exit) && exit.value === after)
      assert.strictEqual(yield* ask(undefined, agent), before)
      agent.destroy()
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("and cannot be used is not taken; the log says so, once, until there is one that can", () =>
    Effect.gen(function*() {
      const { ask, cert, fingerprintOf, key, put, renewed, said, server, until } = yield* world
      const spoilt: ReadonlyArray<() => void> = [
        () => writeFileSync(cert, "half of a certif"),
        () => (put(server), copyFileSync(renewed.key, key)),
        () => writeFileSync(key, "")
      ]
      for (const spoil of spoilt) {
        spoil()
        yield* looked
        assert.strictEqual(yield* ask(), fingerprintOf(server))
      }
      const loud = said.filter((line) => line.startsWith("TLS GOES ON WITH THE OLD FILES"))
      assert.lengthOf(loud, 1)
      assert.notInclude(loud.join(), "half of a certif")
      put(renewed)
      yield* until(ask(), (exit) => Exit.isSuccess(exit) && exit.value === fingerprintOf(renewed))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})

describe("a client's certificate that is taken back", () => {
  it.live("is good no more, on open connections too; others are, and a broken list changes nothing", () =>
    Effect.gen(function*() {
      const { ask, client, crl, said, takenBack, until } = yield* world
      const [lost, good] = [client("lost", forClients), client("good", forClients)]
      const agent = kept()
      yield* ask(lost, agent)
      yield* ask(good)
      copyFileSync(takenBack([lost]), crl)
      yield* until(ask(lost), Exit.isFailure)
      // The connection from before is gone, and there is no other.
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ask(lost, agent))))
      yield* ask(good)
      yield* ask()
      writeFileSync(crl, "-----BEGIN X509 CRL-----\nno\n-----END X509 CRL-----\n")
      yield* looked
      assert.include(said.join(), "TLS GOES ON WITH THE OLD FILES")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ask(lost))))
      yield* ask(good)
      agent.destroy()
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))

  it.live("cannot be told by a list that is out of its time: then no certificate is good, and tokens are", () =>
    Effect.gen(function*() {
      const { ask, client, crl, takenBack, until } = yield* world
      const good = client("good", forClients)
      yield* ask(good)
      copyFileSync(takenBack([], true), crl)
      yield* until(ask(good), Exit.isFailure)
      yield* ask()
      copyFileSync(takenBack(), crl)
      yield* until(ask(good), Exit.isSuccess)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
})
