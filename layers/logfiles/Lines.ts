/**
 * Bytes cut into lines of bounded length, in constant memory.
 *
 * A line ends at LF or CRLF. Each line is decoded by itself, so that keeping one line does not keep its chunk alive.
 * What is not UTF-8 becomes U+FFFD. Lines are untrusted text.
 */

/** Bytes kept of one line; the rest is passed over without being held. */
export const maxLineBytes = 65_536

/** Takes chunks of bytes as they come; `end` gives out a last line that has no line end. */
export interface Splitter {
  readonly push: (chunk: Uint8Array) => void
  readonly end: () => void
}

/** Calls `onLine` for each line with its text and the number of bytes cut off its end. */
export const make = (onLine: (text: string, cutBytes: number) => void): Splitter => {
  const held = Buffer.allocUnsafe(maxLineBytes)
  let used = 0
  let cut = 0

  const hold = (part: Uint8Array) => {
    const taken = Math.min(part.length, maxLineBytes - used)
    held.set(part.subarray(0, taken), used)
    used += taken
    cut += part.length - taken
  }
  const giveHeld = () => {
    onLine(decode(held, 0, used), cut)
    used = 0
    cut = 0
  }

  return {
    push: (chunk) => {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      let start = 0
      for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
        if (used === 0 && end - start <= maxLineBytes) {
          onLine(decode(bytes, start, end), 0)
        } else {
          hold(bytes.subarray(start, end))
          giveHeld()
        }
        start = end + 1
      }
      hold(bytes.subarray(start))
    },
    end: () => {
      if (used > 0) giveHeld()
    }
  }
}

// internal

const lineFeed = 0x0a
const carriageReturn = 0x0d

const decode = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString("utf8", start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end)
