/**
 * What a server speaks TLS with, read from files, and read again while it listens: what was renewed is taken for connections
 * from then on. What cannot be used is not taken; what there was before stays, and the log says so. When the authority for
 * clients changes or takes certificates back, connections that showed one end, and are verified anew when they come again.
 */
import { Effect, FileSystem } from "effect"
import { constants, createPrivateKey, X509Certificate } from "node:crypto"
import type { Server, ServerOptions } from "node:http"
import { createServer } from "node:https"
import { createSecureContext, type TLSSocket } from "node:tls"
import { NotServed } from "./NotServed.ts"

/** Files, PEM. */
export interface Tls {
  /** The server's certificate, those of its authorities after it. */
  readonly cert: string
  readonly key: string
  /** The authority whose certificates clients may show; none are asked for without one. */
  readonly clientCa?: string | undefined
  /** What that authority took back. One that is out of its time takes everything back. */
  readonly clientCrls?: ReadonlyArray<string> | undefined
  /** How often the files are looked at, milliseconds; 5,000 unless it says otherwise. */
  readonly everyMs?: number | undefined
}

/** What was read of the files. */
export interface Material {
  readonly cert: string
  readonly key: string
  readonly ca?: string
  readonly crl?: ReadonlyArray<string>
}

/** Reads the files, and sees that they can be used together. */
export const read = Effect.fnUntraced(function*(tls: Tls) {
  const found = yield* texts(tls)
  yield* fit(tls, found)
  return found
})

/** A server that speaks TLS, which does not listen yet; and what has it take other material. */
export const serve = (options: ServerOptions, material: Material, handshakeMs: number) => {
  const server = createServer({
    ...options,
    ...contextOf(material),
    handshakeTimeout: handshakeMs,
    requestCert: material.ca !== undefined,
    // Callers with tokens show no certificate. One that is shown is a good one, or the connection ends.
    rejectUnauthorized: false
  })
  const showing = new Set<TLSSocket>()
  server.on("secureConnection", (socket: TLSSocket) => {
    if (socket.getPeerX509Certificate() === undefined) return
    if (!socket.authorized) return void socket.destroy()
    showing.add(socket)
    socket.once("close", () => showing.delete(socket))
  })
  let current = material
  const take = (next: Material): void => {
    server.setSecureContext(contextOf(next))
    const isSame = next.ca === current.ca && String(next.crl) === String(current.crl)
    current = next
    if (!isSame) { for (const socket of showing) socket.destroy() }
  }
  return { server: server as Server, take }
}

/** Takes what the files come to hold, for as long as it runs. */
export const renewing = (tls: Tls, first: Material, take: (material: Material) => void) =>
  Effect.gen(function*() {
    let seen = JSON.stringify(first)
    let said = ""
    for (;;) {
      yield* Effect.sleep(tls.everyMs ?? usualMs)
      yield* Effect.gen(function*() {
        const found = yield* texts(tls)
        const text = JSON.stringify(found)
        if (text === seen) return
        yield* fit(tls, found)
        take(found)
        seen = text
        said = ""
        yield* Effect.logInfo("renewed what TLS is spoken with")
      }).pipe(Effect.catch(({ message }) => {
        if (said === message) return Effect.void
        said = message
        return Effect.logError(`TLS GOES ON WITH THE OLD FILES: ${message}`)
      }))
    }
  })

// internal

const usualMs = 5000

const contextOf = ({ crl, ...material }: Material) => ({
  ...material,
  ...crl === undefined ? {} : { crl: [...crl] },
  minVersion: "TLSv1.2" as const,
  // Each connection is verified anew: a resumed one would be believed for what an earlier one showed.
  secureOptions: constants.SSL_OP_NO_TICKET
})

const texts = Effect.fnUntraced(function*({ cert, clientCa, clientCrls = [], key }: Tls) {
  const fs = yield* FileSystem.FileSystem
  const read = (file: string) =>
    Effect.mapError(fs.readFileString(file), ({ reason }) =>
      new NotServed({
        detail: `${file} cannot be read (${reason._tag})`,
        remedy: "name a file that this user may read, in PEM"
      }))
  const found: Material = {
    cert: yield* read(cert),
    key: yield* read(key),
    ...clientCa === undefined ? {} : { ca: yield* read(clientCa) },
    ...clientCrls.length === 0 ? {} : { crl: yield* Effect.forEach(clientCrls, read) }
  }
  return found
})

const fit = ({ cert, clientCa, clientCrls = [], key }: Tls, material: Material) => {
  const unfit = new NotServed({
    detail: `${[cert, key, clientCa ?? [], clientCrls].flat().join(", ")} cannot be used for TLS`,
    remedy: "see that each is PEM, and that the key is the certificate's"
  })
  return Effect.try({
    try: () => {
      createSecureContext(contextOf(material))
      // What is empty, or broken after its first certificate, would be passed over.
      const [own, ...others] = [material.cert, ...material.ca === undefined ? [] : [material.ca]].map(certificatesIn)
      return own?.[0]?.checkPrivateKey(createPrivateKey(material.key)) === true &&
        others.every(({ length }) => length > 0)
    },
    // What the library says may quote of the files.
    catch: () => unfit
  }).pipe(Effect.flatMap((isFit) => isFit ? Effect.void : Effect.fail(unfit)))
}

const certificatesIn = (text: string): ReadonlyArray<X509Certificate> =>
  text.split(/(?=-----BEGIN )/).flatMap((part) => part.startsWith("-----BEGIN ") ? [new X509Certificate(part)] : [])
