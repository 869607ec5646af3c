/**
 * The names of the certificate that a connection was made with, as its handshake verified it against the authority for clients.
 * A certificate whose time has ended since is none any more, on connections that are open too.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Clock, Effect, Option, Schema } from "effect"
import type { X509Certificate } from "node:crypto"
import { TLSSocket } from "node:tls"
import type { Peer } from "../../src/door/http/index.ts"
import { KnownBy } from "../../src/session/index.ts"

type Certificate = typeof KnownBy.Certificate.Type

/** By the connection itself: no header says it. */
export const of: Peer.CertificateOf = (request) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
    if (!(socket instanceof TLSSocket) || !socket.authorized) return []
    const known = read.get(socket) ?? readFrom(socket)
    return known === undefined || now < known.from || now >= known.until ? [] : known.names
  })

/** The names of a certificate: its hash first, then what its authority put into it. */
export const namesOf = (certificate: X509Certificate): ReadonlyArray<Certificate> =>
  [
    KnownBy.normal(certificate.fingerprint256),
    ...alternatives(certificate.subjectAltName ?? ""),
    ...subject(certificate.subject)
  ].flatMap((name) => Option.toArray(decode({ kind: "certificate", name })))

// internal

interface Known {
  readonly names: ReadonlyArray<Certificate>
  readonly from: number
  readonly until: number
}

const read = new WeakMap<TLSSocket, Known>()

const readFrom = (socket: TLSSocket): Known | undefined => {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const known = {
    names: namesOf(certificate),
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo)
  }
  read.set(socket, known)
  return known
}

const decode = Schema.decodeOption(KnownBy.Certificate)

const kinds: { readonly [kind: string]: string } = { URI: "uri", DNS: "dns", email: "email" }

/** Names with a quotation mark or a backslash are not read: what they would be taken for is not what they say. */
const isPlain = (text: string): boolean => !/["\\\n]/.test(text)

/** As `URI:spiffe://a/b, DNS:c`. One that is not plain makes all of them none. */
const alternatives = (text: string): ReadonlyArray<string> =>
  !isPlain(text) ? [] : text.split(", ").flatMap((part) => {
    const at = part.indexOf(":")
    const kind = Object.hasOwn(kinds, part.slice(0, at)) ? kinds[part.slice(0, at)] : undefined
    return kind === undefined ? [] : [`${kind}:${part.slice(at + 1)}`]
  })

/** A part a line, in the order of the certificate. Commas in a part come with a backslash before them. */
const subject = (text: string | undefined): ReadonlyArray<string> => {
  const parts = (text ?? "").split("\n").filter((part) => part !== "")
  return parts.length > 0 && parts.every(isPlain) ? [`subject:${parts.join(",")}`] : []
}
