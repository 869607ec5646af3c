/**
 * Where a request may come from. A page that a name was bent to this machine for says that name as the host; a page of somebody
 * else's says its own origin.
 */
import { Option, Result } from "effect"
import type { Headers } from "effect/http"

/** Names beside this machine's, as operators give them. */
export interface Places {
  /** Host names under which the server is reached, without a port. Addresses and `localhost` need no naming. */
  readonly hosts: ReadonlyArray<string>
  /** Origins of pages that may ask, as `https://example.com`, beside the server's own. */
  readonly origins: ReadonlyArray<string>
}

/** What speaks against where a request comes from; `null` for nothing. */
export const objection = (
  headers: Headers.Headers,
  { hosts, origins }: Places
): "host" | "origin" | null => {
  const host = headers["host"] ?? ""
  const name = nameOf(`http://${host}`)
  if (Option.isNone(name) || !(isAddress(name.value) || name.value === "localhost" || hosts.includes(name.value))) {
    return "host"
  }
  const origin = headers["origin"]
  const isOwn = origin === `http://${host}` || origin === `https://${host}`
  return origin === undefined || isOwn || origins.includes(origin) ? null : "origin"
}

// internal

/** The host of a URL as browsers read it: in lower case, addresses in one form. */
const nameOf = (url: string): Option.Option<string> =>
  Option.fromNullishOr(Result.getOrUndefined(Result.try(() => new URL(url)))).pipe(
    Option.filter(({ password, pathname, search, username }) =>
      pathname === "/" && search === "" && username === "" && password === ""
    ),
    Option.map(({ hostname }) => hostname)
  )

const isAddress = (name: string): boolean => name.startsWith("[") || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)
