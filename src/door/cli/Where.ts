/**
 * Whose operations a command asks for: those of the data in a folder of this machine, or of a runtime elsewhere, in the name
 * of a token's caller. A flag goes before a setting, and `--remote` and `--data` are not given together: nobody decides in
 * one place what was meant for the other.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { Command, Flag, GlobalFlag } from "effect/cli"
import * as Files from "./Files.ts"
import { UsageError, type Where } from "./Runtime.ts"

/** Where a runtime answers elsewhere. */
export const Remote = GlobalFlag.Setting("remote")({
  flag: Flag.String("remote").pipe(
    Flag.withDescription("Ask the runtime that answers there, as `aosiq serve` prints it (AOSIQ_URL)"),
    Flag.withMetavar("URL"),
    Flag.optional
  )
})
/** Where its token lies. A token itself is no argument: the list of processes shows those to everybody. */
export const TokenFile = GlobalFlag.Setting("token-file")({
  flag: Flag.String("token-file").pipe(
    Flag.withDescription("File that holds the caller's token, for --remote (otherwise: AOSIQ_TOKEN)"),
    Flag.withMetavar("FILE"),
    Flag.optional
  )
})
/** Whether the token may go over a network in the clear. */
export const Insecure = GlobalFlag.Setting("insecure")({
  flag: Flag.Boolean("insecure").pipe(
    Flag.withDescription("Let the token go over plain http to another machine"),
    Flag.withDefault(false)
  )
})

/** The flags, for the whole program. */
export const flags = [Remote, TokenFile, Insecure] as const

/** What finding out where needs to know. */
export type Told =
  | GlobalFlag.Setting.Identifier<"remote">
  | GlobalFlag.Setting.Identifier<"token-file">
  | GlobalFlag.Setting.Identifier<"insecure">

/** The folder that a command works on by itself. */
export const folder = Flag.String("data").pipe(
  Flag.withDescription("Data folder (AOSIQ_DATA)"),
  Flag.withMetavar("DIR"),
  Flag.withFallbackConfig(Config.String("AOSIQ_DATA")),
  Flag.withDefault(".aosiq")
)
/** The folder of a command that may go elsewhere instead. */
export const data = Flag.String("data").pipe(
  Flag.withDescription("Data folder (AOSIQ_DATA)"),
  Flag.withMetavar("DIR"),
  Flag.optional
)

/** Where a command goes that was told this folder, or none. */
export const of = Effect.fnUntraced(function*(data: Option.Option<string>) {
  const remote = yield* Remote
  if (Option.isSome(remote) && Option.isSome(data)) {
    return yield* refuse("--data and --remote name two places", "give the one that is meant")
  }
  const url = Option.isSome(remote) || Option.isSome(data) ? remote : yield* setting("AOSIQ_URL")
  if (Option.isSome(url)) return yield* elsewhere(url.value)
  const folder = Option.isSome(data) ? data : yield* setting("AOSIQ_DATA")
  return { _tag: "Folder", folder: Option.getOrElse(folder, () => ".aosiq") } satisfies Where as Where
})

/** A command that works on this machine alone, and says so when it is asked to go elsewhere. */
export const here = <const Name extends string, Input, E, R, ContextInput>(
  self: Command.Command<Name, Input, ContextInput, E, R>
) =>
  Command.provideEffectDiscard(
    self,
    Effect.flatMap(Remote, (remote) =>
      Option.isNone(remote) ? Effect.void : refuse(
        `${self.name} works on this machine alone, and not at ${remote.value}`,
        "run it on the machine where the data is, without --remote"
      ))
  )

/** An address, as far as it may be asked: without a secret in it, and not in the clear over a network. */
export const address = (text: string, isInsecure: boolean): Effect.Effect<string, UsageError> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return refuse("--remote is no http or https URL", "give it as `aosiq serve` prints it: http://127.0.0.1:7070")
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return refuse(
      "--remote holds more than an address",
      "leave names, passwords and parameters out; the token goes into AOSIQ_TOKEN, or a file with --token-file"
    )
  }
  return url.protocol === "http:" && !isLoopback(url.hostname) && !isInsecure
    ? refuse(
      `the token would go to ${url.host} in the clear, and nothing was sent`,
      "use https, or --insecure where the network is trusted"
    )
    : Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
}

// internal

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))

const setting = (name: string) =>
  Effect.map(
    Effect.orElseSucceed(Config.option(Config.String(name)), () => Option.none<string>()),
    Option.filter((text) => text !== "")
  )

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host)

const elsewhere = Effect.fnUntraced(function*(text: string) {
  const url = yield* address(text, yield* Insecure)
  const file = yield* TokenFile
  const token = Option.isSome(file)
    ? Option.some((yield* Files.readText(file.value)).trim())
    : yield* setting("AOSIQ_TOKEN")
  if (Option.isNone(token) || token.value === "") {
    return yield* refuse(
      `there is no token for ${url}, and nothing was sent`,
      "put the token of a caller into AOSIQ_TOKEN, or into a file and name that with --token-file"
    )
  }
  // A line break in a header would be refused below, in words that show the token.
  if (!/^[\x21-\x7e]+$/.test(token.value)) {
    return yield* refuse("that is no token, and nothing was sent", "give the one line that `aosiq callers add` printed")
  }
  return { _tag: "Remote", url, token: Redacted.make(token.value) } satisfies Where as Where
})
