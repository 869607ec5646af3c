/**
 * By what a caller is known that is no token of ours: a subject, for which an issuer of tokens vouches, or a certificate, which
 * its connection was made with. Both are names and no secrets; that whoever asks may bear them is found out elsewhere.
 */
import { Schema } from "effect"
import type { Digest } from "../audit/index.ts"

/** Who an issuer says that it is. A subject is a name within its issuer alone. */
export const Subject = Schema.Struct({
  kind: Schema.Literal("subject"),
  issuer: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
  subject: Schema.NonEmptyString.check(Schema.isMaxLength(255))
})
export type Subject = typeof Subject.Type

/**
 * A name of a client certificate: the hash of it (`sha256:`), or one that its authority put into it (`uri:`, `dns:`, `email:`,
 * `subject:` with the parts joined by commas).
 */
export const Certificate = Schema.Struct({
  kind: Schema.Literal("certificate"),
  name: Schema.String.check(
    Schema.isMaxLength(500),
    Schema.isPattern(/^(?:sha256:[0-9a-f]{64}|(?:uri|dns|email|subject):[\u0020-\u007e\u00a0-\uffff]+)$/, {
      expected: "sha256: and 64 digits, or uri:, dns:, email: or subject: and a name"
    })
  )
})
export type Certificate = typeof Certificate.Type

export const KnownBy = Schema.Union([Subject, Certificate])
export type KnownBy = typeof KnownBy.Type

/** The hash that it is kept under, of all that it says. */
export const hashOf = (digest: Digest.Digest["Service"], knownBy: KnownBy): Digest.Hash =>
  digest.sha256(
    digest.canonical(
      knownBy.kind === "subject"
        ? [knownBy.kind, knownBy.issuer, knownBy.subject]
        : [knownBy.kind, knownBy.name]
    )
  )

/** What it is called in lists and rows, after its kind. */
export const idOf = (digest: Digest.Digest["Service"], knownBy: KnownBy): string =>
  `${knownBy.kind}_${hashOf(digest, knownBy).slice(0, idDigits)}`

/** A fingerprint as tools print it, `AB:CD:…`, or any other name, as it is compared. */
export const normal = (name: string): string => {
  const [, digits] = /^(?:sha256[: ])?((?:[0-9a-f]{2}:?){32})$/i.exec(name) ?? []
  return digits === undefined ? name : `sha256:${digits.replaceAll(":", "").toLowerCase()}`
}

// internal

const idDigits = 24
