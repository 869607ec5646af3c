/** Certificates of two authorities, made by openssl in a folder that goes with the scope. */
import { Effect, FileSystem, type PlatformError, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Files of one certificate. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** What is made. */
export interface Certificates {
  readonly ca: string
  readonly server: Pair
  /** Made by the authority for clients, with these extensions and this subject. */
  readonly client: (name: string, extensions: string, subject?: string) => Pair
  /** Made by another authority. */
  readonly stranger: Pair
  /** Signed by nobody but itself. */
  readonly own: Pair
  /** Its time is over. */
  readonly expired: Pair
  readonly fingerprintOf: (pair: Pair) => string
  /** Another of the server, by the same authority. */
  readonly renewed: Pair
  /** A list of what the authority took back, these and all before; its time is over, if so asked for. */
  readonly takenBack: (pairs?: ReadonlyArray<Pair>, isOver?: boolean) => string
}

const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
export const forClients = "extendedKeyUsage=clientAuth"

/** Makes them. */
export const make: Effect.Effect<
  Certificates,
  PlatformError.PlatformError,
  FileSystem.FileSystem | Scope.Scope
> = Effect.gen(function*() {
  const folder = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
  const path = (name: string) => join(folder, name)
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
  const pairOf = (name: string): Pair => ({ cert: path(`${name}.pem`), key: path(`${name}.key`) })
  const authority = (name: string): Pair => {
    openssl(
      "req",
      "-x509",
      ...key,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`
    )
    return pairOf(name)
  }
  let serial = 0
  const sign = (by: Pair, name: string, subject: string, extensions: string, days = "1"): Pair => {
    writeFileSync(path(`${name}.ext`), extensions.split(";").join("\n"))
    openssl("req", "-new", ...key, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`)
    const out = ["-out", `${name}.pem`, "-extfile", `${name}.ext`, "-set_serial", String(++serial)]
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", by.cert, "-CAkey", by.key, "-days", days, ...out)
    return pairOf(name)
  }
  const forServers = "extendedKeyUsage=serverAuth;subjectAltName=IP:127.0.0.1"
  const ours = authority("ours")
  const theirs = authority("theirs")
  const fingerprintOf = ({ cert }: Pair) => new X509Certificate(readFileSync(cert)).fingerprint256
  return {
    ca: ours.cert,
    server: sign(ours, "server", "/CN=server", forServers),
    renewed: sign(ours, "renewed", "/CN=server", forServers),
    client: (name, extensions, subject = `/CN=${name}`) => sign(ours, name, subject, extensions),
    stranger: sign(theirs, "stranger", "/CN=deploy", `${forClients};subjectAltName=URI:spiffe://shop/deploy`),
    own: authority("own"),
    expired: sign(ours, "expired", "/CN=expired", `${forClients};subjectAltName=URI:spiffe://shop/late`, "-1"),
    fingerprintOf,
    takenBack: (pairs = [], isOver = false) => {
      writeFileSync(path("ca.cnf"), "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\n")
      writeFileSync(path("index.txt"), "", { flag: "a" })
      const by = ["ca", "-config", "ca.cnf", "-cert", ours.cert, "-keyfile", ours.key]
      for (const { cert } of pairs) openssl(...by, "-revoke", cert)
      const times = isOver
        ? ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200102000000Z"]
        : ["-crldays", "1"]
      const name = `list${++serial}.pem`
      openssl(...by, "-gencrl", ...times, "-out", name)
      return path(name)
    }
  }
})
