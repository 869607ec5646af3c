/**
 * The bytes of one log file, unpacked where it is a gzip.
 *
 * The file is read up to the size it had when it was listed, so a writer faster than the reader cannot hold it forever.
 * What stands before a break is given out before the break is reported: all of it where a gzip just ends, all but at most
 * one chunk where its data is damaged.
 */
import { Effect, type FileSystem, Stream } from "effect"
import { createGunzip } from "node:zlib"
import * as Source from "../../src/agents/advisor/Source.ts"
import * as Access from "./Access.ts"
import type { LogFile } from "./Paths.ts"

/** Bytes of text given at a time. The entries of larger chunks outlive V8's young generation, and memory then grows. */
export const chunkBytes = 32_768

/** Bytes of a gzip unpacked at a time: deflate grows data at most 1032-fold, so 17 MiB are held at worst. */
export const packedChunkBytes = 16_384

/** Streams the text of `file`; fails where it cannot be read, is binary, or its gzip breaks off. */
export const read = (
  fs: FileSystem.FileSystem,
  file: LogFile
): Stream.Stream<Uint8Array, Source.Unreachable | Source.Unreadable> => {
  const isPacked = file.path.endsWith(".gz")
  const stored = fs.stream(file.path, {
    bytesToRead: file.size,
    chunkSize: isPacked ? packedChunkBytes : chunkBytes
  }).pipe(Stream.mapError((error) => Access.unreachable(file.path, error)))
  return refuseBinary(file.path, isPacked ? gunzip(file.path, stored) : stored)
}

// internal

type Reason = Source.Unreachable | Source.Unreadable

const refuseBinary = (path: string, bytes: Stream.Stream<Uint8Array, Reason>): Stream.Stream<Uint8Array, Reason> =>
  Stream.mapAccumEffect(
    bytes,
    () => true,
    (isFirst, chunk) =>
      isFirst && chunk.includes(0) ? Effect.fail(binary(path)) : Effect.succeed([false, [chunk]] as const)
  )

const gunzip = (path: string, packed: Stream.Stream<Uint8Array, Reason>): Stream.Stream<Uint8Array, Reason> =>
  Effect.acquireRelease(Effect.sync(makeUnpacker), (unpacker) => Effect.sync(unpacker.close)).pipe(
    Effect.map((unpacker) =>
      Stream.mapEffect(packed, unpacker.push).pipe(
        Stream.concat(Stream.fromEffect(Effect.suspend(unpacker.end))),
        Stream.flatMap(({ chunks, isBroken }) =>
          isBroken ? Stream.concat(Stream.fromArray(chunks), Stream.fail(brokenGzip(path))) : Stream.fromArray(chunks)
        ),
        Stream.rechunk(1)
      )
    ),
    Stream.unwrap
  )

/** What one chunk unpacked to, up to the break where `isBroken`. */
interface Unpacked {
  readonly chunks: ReadonlyArray<Uint8Array>
  readonly isBroken: boolean
}

/** Takes one chunk at a time; all it unpacks to is given back before the next is asked for. */
const makeUnpacker = () => {
  const unpacker = createGunzip({ chunkSize: chunkBytes })
  let chunks: Array<Uint8Array> = []
  unpacker.on("data", (chunk: Uint8Array) => chunks.push(chunk))
  // Each step tells of the error that ends it; a stream that nobody listens to would end the process.
  unpacker.on("error", () => {})

  /** Padding after a whole gzip has ended the unpacking early, and is passed over. */
  const drive = (start: (done: () => void) => void): Effect.Effect<Unpacked> =>
    Effect.callback((resume) => {
      const settle = () => {
        const taken = chunks
        chunks = []
        unpacker.off("error", settle)
        resume(Effect.succeed({ chunks: taken, isBroken: unpacker.errored !== null }))
      }
      if (unpacker.readableEnded) return settle()
      unpacker.once("error", settle)
      start(settle)
    })

  return {
    push: (chunk: Uint8Array) => drive((done) => unpacker.write(chunk, done)),
    end: () => drive((done) => unpacker.once("end", done).end()),
    close: () => unpacker.destroy()
  }
}

const binary = (path: string) =>
  new Source.Unreadable({
    detail: `${path} is not text: its first bytes hold a NUL`,
    remedy: `leave ${path} out, or unpack or convert it to UTF-8 text (of packed files only .gz is read)`
  })

const brokenGzip = (path: string) =>
  new Source.Unreadable({
    detail: `${path} is not a whole gzip: it breaks off or is damaged, and was read up to there`,
    remedy: `copy ${path} again, or unpack it with a tool that repairs`
  })
