/**
 * Settings of a system from a snapshot of its configuration, beside the configuration it should have.
 *
 * Both files are flattened to dotted keys and compared key by key, whatever their formats. Values are text as written;
 * secret values arrive as a digest. Keys and values are untrusted text.
 */
import { Effect, type FileSystem, Layer, Option, Result } from "effect"
import * as Digest from "effect/crypto/Digest"
import * as Source from "../../src/agents/advisor/Source.ts"
import * as Flatten from "./Flatten.ts"
import * as Formats from "./Formats.ts"
import * as Secrets from "./Secrets.ts"
import * as TextFile from "./TextFile.ts"

/** Bytes of one configuration file. */
export const maxFileBytes = 4_194_304

/** The files to read; a format that is not set is told from the file's name. */
export interface Options {
  readonly actual: string
  /** Without it every baseline is `null`. */
  readonly baseline?: string
  readonly formats?: { readonly actual?: Formats.Format; readonly baseline?: Formats.Format }
}

/** Reads both files anew each time the settings are asked for. */
export const layer = (options: Options): Layer.Layer<Source.Settings, never, FileSystem.FileSystem> =>
  Layer.effect(
    Source.Settings,
    Effect.map(
      Effect.context<FileSystem.FileSystem | Digest.Digest>(),
      (context) => Source.Settings.of({ read: Effect.provideContext(read(options), context) })
    )
  ).pipe(Layer.provide(Digest.layerWebCrypto))

/** Every setting on either side, by key; fails when one of the files cannot be read in its format. */
export const read = Effect.fn("SettingFiles.read")(function*(options: Options) {
  const actual = yield* readFile(options.actual, options.formats?.actual)
  const baseline = options.baseline === undefined
    ? { settings: new Map<string, string>(), gaps: [] }
    : yield* readFile(options.baseline, options.formats?.baseline)
  const keys = [...new Set([...actual.settings.keys(), ...baseline.settings.keys()])].toSorted()
  const settings = keys.map((key): Source.Setting => ({
    key,
    actual: actual.settings.get(key) ?? null,
    baseline: baseline.settings.get(key) ?? null,
    isDecided: options.baseline !== undefined,
    origin: actual.settings.has(key) ? options.actual : options.baseline ?? options.actual
  }))
  return { settings, gaps: [...actual.gaps, ...baseline.gaps] }
})

// internal

const readFile = Effect.fnUntraced(
  function*(path: string, wanted: Formats.Format | undefined) {
    const format = yield* Option.match(Option.orElse(Option.fromUndefinedOr(wanted), () => Formats.ofName(path)), {
      onNone: () => Effect.fail(unknownFormat(path)),
      onSome: Effect.succeed
    })
    const text = yield* TextFile.read(path, maxFileBytes)
    const parsed = yield* Effect.fromResult(
      Result.mapError(Formats.parse(format, text), (broken) => brokenFile(path, format, broken))
    )
    const flat = yield* Effect.fromResult(flattenFile(path, parsed.value))
    const shown = yield* Effect.forEach(
      flat,
      ([key, value]) => Effect.map(Secrets.redact(key, value), (safe) => [key, safe] as const)
    )
    return { settings: new Map(shown), gaps: skippedGap(path, format, parsed.skippedLines) }
  },
  (effect, path) => Effect.mapError(effect, (reason) => new Source.SourceError({ source: `settings:${path}`, reason }))
)

const flattenFile = (path: string, value: unknown) => {
  // An empty file has no settings; a single value is no configuration.
  if (value === null || value === undefined) return Result.succeed<ReadonlyMap<string, string>>(new Map())
  return Result.mapError(
    typeof value === "object" ? Flatten.flatten(value) : Result.fail("holds a single value, not settings"),
    (problem) =>
      new Source.Unreadable({ detail: `${path} ${problem}`, remedy: `give ${path} the settings as a file of keys` })
  )
}

const unknownFormat = (path: string) =>
  new Source.Unreadable({
    detail: `the format of ${path} cannot be told from its name`,
    remedy: "name the format: yaml, json, toml, ini or env"
  })

const brokenFile = (path: string, format: Formats.Format, broken: Formats.Broken) => {
  const line = Option.match(broken.line, { onNone: () => "", onSome: (line) => ` at line ${line}` })
  return new Source.Unreadable({
    detail: `${path} is not readable as ${format}${line}: ${broken.problem}`,
    remedy: `correct ${path}${line}, or name its format if it is not ${format}`
  })
}

const skippedGap = (
  path: string,
  format: Formats.Format,
  lines: ReadonlyArray<number>
): ReadonlyArray<Source.Gap> =>
  lines.length === 0 ? [] : [{
    source: path,
    detail: `${lines.length} line(s) that are not ${format} were passed over, first line ${lines[0]}`,
    remedy: `correct line ${lines[0]} of ${path}`
  }]
