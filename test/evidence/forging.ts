/**
 * True claims about recorded results, and false ones made out of them by altering one thing. Whether an altered claim is
 * false is told by looks of this file's own at the result, and not by what is tested; where they cannot tell, none is made.
 */
import type { Schema } from "effect"
import type { Evidence } from "../../src/evidence/index.ts"
import type { World } from "./recorded.ts"

type Claim = Evidence.Claim
type Citation = Evidence.Citation
type Random = () => number

/** A claim with where it comes from. */
export interface Stated {
  readonly kind: string
  readonly which: number
  readonly claim: Claim
  /** All that its citations take, in words. */
  readonly taken: string
}

interface Leaf {
  readonly path: string
  readonly value: string | number | boolean | null
}

const leaves = (value: Schema.Json, path = ""): ReadonlyArray<Leaf> =>
  typeof value !== "object" || value === null
    ? [{ path, value }]
    : Object.entries(value).flatMap(([name, inner]) =>
      leaves(inner as Schema.Json, `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`)
    )
const lists = (value: Schema.Json, path = ""): ReadonlyArray<{ readonly path: string; readonly length: number }> =>
  typeof value !== "object" || value === null
    ? []
    : [
      ...Array.isArray(value) ? [{ path, length: value.length }] : [],
      ...Object.entries(value).flatMap(([name, inner]) => lists(inner as Schema.Json, `${path}/${name}`))
    ]

/** Generators over one world, from one source of chance. */
export const forger = ({ all, elsewhere, failed, others, session, stamps }: World, random: Random) => {
  const below = (bound: number) => Math.floor(random() * bound)
  const pick = <A>(from: ReadonlyArray<A>): A | undefined => from[below(from.length)]
  const known = all.map((value) => {
    const found = leaves(value)
    return {
      text: JSON.stringify(value),
      strings: found.filter(({ value }) => typeof value === "string" && value.length > 20),
      numbers: found.filter(({ value }) => typeof value === "number"),
      lists: lists(value)
    }
  })

  /** Some words of a text as they stand there, not ending between a number and what may be its unit. */
  const words = (which: number): { readonly quote: string; readonly path: string } | null => {
    const leaf = pick(known[which]?.strings ?? [])
    if (typeof leaf?.value !== "string") return null
    const spans = [...leaf.value.matchAll(/\S+/g)]
    const first = below(spans.length)
    const last = spans[Math.min(spans.length - 1, first + 3 + below(9))]
    const quote = leaf.value.slice(spans[first]?.index ?? 0, (last?.index ?? 0) + (last?.[0].length ?? 0))
    const isOdd = /[\d.,:;-]$/.test(quote) && (last?.index ?? 0) + (last?.[0].length ?? 0) < leaf.value.length
    return quote.length < 8 || isOdd ? null : { quote, path: leaf.path }
  }
  const cite = (which: number, citation: Record<string, Schema.Json>): Citation =>
    // Each caller gives the members of one kind of citation.
    ({ stamp: stamps[which] ?? "", ...citation }) as unknown as Citation
  const flat = (text: string) => text.replaceAll(/\s+/g, " ")

  const makers: Readonly<Record<string, (which: number) => Omit<Stated, "kind" | "which"> | null>> = {
    quote: (which) => {
      const found = words(which)
      if (found === null) return null
      const { quote } = found
      return { claim: { text: `It says: ${flat(quote)}`, evidence: [cite(which, { quote })] }, taken: quote }
    },
    "quote, other spaces": (which) => {
      const found = words(which)
      if (found === null || !/\s/.test(found.quote)) return null
      const quote = found.quote.replaceAll(/\s+/g, () => pick([" ", "\n", "  ", "\t"]) ?? " ")
      return { claim: { text: flat(quote), evidence: [cite(which, { quote })] }, taken: quote }
    },
    "value at a path": (which) => {
      const leaf = pick([...known[which]?.numbers ?? [], ...known[which]?.strings ?? []])
      if (leaf === undefined || leaf.value === null) return null
      const taken = String(leaf.value)
      return { claim: { text: flat(taken), evidence: [cite(which, { path: leaf.path, equals: leaf.value })] }, taken }
    },
    "quote of JSON": (which) => {
      const leaf = pick(known[which]?.numbers ?? [])
      const name = leaf?.path.split("/").at(-1) ?? ""
      if (leaf === undefined || !/^[A-Za-z_]{3,}$/.test(name)) return null
      const quote = `"${name}":${JSON.stringify(leaf.value)}`
      return { claim: { text: `${name} ${leaf.value}`, evidence: [cite(which, { quote })] }, taken: quote }
    },
    "rounded number": (which) => {
      const leaf = pick(known[which]?.numbers ?? [])
      if (typeof leaf?.value !== "number" || leaf.value <= 0) return null
      const number = Number(leaf.value.toPrecision(3))
      // Half-way cases are rounded by tens, not by what binary digits are nearest.
      if (String(leaf.value).endsWith("5")) return null
      const citation = cite(which, { path: leaf.path, number, digits: 3 })
      return { claim: { text: `about ${number}`, evidence: [citation] }, taken: `${number} ${leaf.value}` }
    },
    "number in another unit": (which) => {
      const leaf = pick(known[which]?.strings ?? [])
      if (typeof leaf?.value !== "string") return null
      const units = /(?<![\w.,:+-])(\d{1,4}(?:\.\d)?)(?: )?(s|seconds|minutes|hours|min|GB|MB)(?![\w/%-])/g
      const match = pick([...leaf.value.matchAll(units)])
      if (match === undefined) return null
      const [quote, value = "", unit = ""] = match
      const [factor, to] = /^(?:GB|MB)$/.test(unit) ? [unit === "GB" ? 1e9 : 1e6, "B"] : [1000 * secondsIn(unit), "ms"]
      const number = Number((Number(value) * factor).toPrecision(12))
      const citation = cite(which, { quote: quote.length < 3 ? `${quote} ` : quote, number, unit: to })
      return quote.length < 3 ? null : { claim: { text: `${number} ${to}`, evidence: [citation] }, taken: quote }
    },
    "count of elements": (which) => {
      const list = pick((known[which]?.lists ?? []).filter(({ length }) => length > 1))
      if (list === undefined) return null
      const citation = cite(which, { path: list.path, count: list.length, of: "elements" })
      return { claim: { text: `there are ${list.length}`, evidence: [citation] }, taken: String(list.length) }
    },
    "count of lines": (which) => {
      const text = all[which]
      if (typeof text !== "string") return null
      const lines = text.split("\n").filter((line, index, list) => line !== "" || index < list.length - 1)
      const containing = pick(text.match(/(?<=\s)[A-Za-z]{4,}(?=\s)/g) ?? [])
      if (containing === undefined) return null
      const isThere = new RegExp(`(?<![\\p{L}\\d])${containing}(?![\\p{L}\\d])`, "u")
      const count = lines.filter((line) => isThere.test(line)).length
      const citation = cite(which, { path: "", count, of: "lines", containing })
      return {
        claim: { text: `${containing} stands in ${count} lines`, evidence: [citation] },
        taken: `${count} of ${lines.length} ${containing}`
      }
    }
  }

  /** A true claim of a kind; gives up on results that have nothing of it. */
  const truth = (kind = pick(Object.keys(makers)) ?? "quote"): Stated | null => {
    for (let tries = 0; tries < 200; tries++) {
      const which = below(all.length)
      const made = makers[kind]?.(which) ?? null
      if (made !== null && !/\p{N}/u.test(made.claim.text.replaceAll(/\d/g, ""))) return { kind, which, ...made }
    }
    return null
  }

  // --- false ones ------------------------------------------------------------

  const first = ({ claim }: Stated) => claim.evidence[0] ?? cite(0, { quote: "none" })
  const quoteOf = (stated: Stated): string | null => {
    const citation = first(stated)
    return "quote" in citation && !("number" in citation) ? citation.quote ?? null : null
  }
  const recited = (stated: Stated, change: Record<string, Schema.Json>, text = stated.claim.text): Claim => ({
    text,
    evidence: [{ ...first(stated), ...change } as unknown as Citation]
  })
  /** Whether words stand nowhere in the result, whatever is said about where words end. */
  const isAbsent = (which: number, quote: string) => {
    const text = known[which]?.text ?? ""
    const written = JSON.stringify(quote).slice(1, -1)
    const loose = (words: string) => words.replaceAll(/(?:\\[nrt]|\s)+/g, " ")
    return !text.includes(quote) && !loose(text).includes(loose(written)) && !loose(text).includes(loose(quote))
  }
  const requoted = (stated: Stated, change: (quote: string) => string | null): Claim | null => {
    const quote = quoteOf(stated)
    const other = quote === null ? null : change(quote)
    return other === null || other === quote || !isAbsent(stated.which, other)
      ? null
      : recited(stated, { quote: other })
  }
  const replaceAt = (text: string, at: number, length: number, by: string) =>
    text.slice(0, at) + by + text.slice(at + length)
  const swapDigit = (text: string): string | null => {
    const digits = [...text.matchAll(/\d/g)]
    const digit = pick(digits)
    return digit === undefined ? null : replaceAt(text, digit.index, 1, String((Number(digit[0]) + 1 + below(9)) % 10))
  }
  const amounts = (text: string) => [...text.matchAll(/(?<![\p{L}\d.,:_/-])\d+(?:\.\d+)?(?![\p{L}\d,:_/-]|\.\d)/gu)]
  /** The figures of a text by value, also as parts and per cent of each other: nothing altered may be one of them. */
  const valuesIn = (text: string) =>
    new Set((text.match(/\d+(?:\.\d+)?/g) ?? []).flatMap((number) => {
      const value = Number(number)
      return [value, value / 100, value * 100, value / 1000, value * 1000].map((one) => Number(one.toPrecision(9)))
    }))
  const restated = (stated: Stated, change: (number: string) => string | null): Claim | null => {
    const number = pick(amounts(stated.claim.text))
    if (number === undefined) return null
    const other = change(number[0])
    if (other === null || !Number.isFinite(Number(other.replace("−", "-")))) return null
    const value = Number(Math.abs(Number(other.replace("−", "-"))).toPrecision(9))
    if (!/^[-−]/.test(other) && valuesIn(`${stated.taken} ${JSON.stringify(first(stated))}`).has(value)) return null
    if (/^[-−]/.test(other) && /[-−]/.test(stated.taken)) return null
    return { ...stated.claim, text: replaceAt(stated.claim.text, number.index, number[0].length, other) }
  }
  const otherUnit: Readonly<Record<string, string>> = {
    ms: "s",
    s: "ms",
    seconds: "minutes",
    minutes: "hours",
    hours: "days",
    "%": " GB",
    GB: "MB",
    MB: "GB",
    B: "kB"
  }
  const changeUnit = (text: string): string | null => {
    const match = pick([
      ...text.matchAll(/(?<=(?<![\p{L}\d.,:_/-])\d+(?:\.\d+)? ?)(ms|s|seconds|minutes|hours|%|GB|MB|B)(?![\w/])/gu)
    ])
    return match === undefined ? null : replaceAt(text, match.index, match[0].length, otherUnit[match[0]] ?? "")
  }
  const lookAlikes: Readonly<Record<string, string>> = {
    a: "а",
    e: "е",
    o: "о",
    c: "с",
    p: "р",
    i: "і",
    x: "х",
    "0": "О",
    "1": "l",
    "-": "‐",
    "5": "５"
  }

  /** Ways to claim falsely. */
  const forgeries: Readonly<Record<string, (stated: Stated) => Claim | null>> = {
    "stamp of another result": (stated) => {
      const which = below(all.length)
      const quote = quoteOf(stated)
      if (quote === null || which === stated.which || !isAbsent(which, quote)) return null
      return recited(stated, { stamp: stamps[which] ?? "" })
    },
    "the same result in another session": (stated) => recited(stated, { stamp: elsewhere[stated.which] ?? "" }),
    "stamp of a failed call": (stated) => recited(stated, { stamp: failed }),
    "row that is no outcome": (stated) => recited(stated, { stamp: pick(others) ?? "" }),
    "row that is not there": (stated) => recited(stated, { stamp: `${session}/${100_000 + below(1e6)}` }),
    "stamp spelt otherwise": (stated) =>
      recited(stated, {
        stamp: (stamps[stated.which] ?? "").replace(/\/(\d+)$/, pick(["/0$1", "/ $1", "/$1.0", "/+$1", "/$1 "]) ?? "")
      }),
    "digit of the quote": (stated) => requoted(stated, swapDigit),
    "digit of quote and text": (stated) => {
      const quote = quoteOf(stated)
      const other = quote === null ? null : swapDigit(quote)
      return other === null || !isAbsent(stated.which, other) ? null : recited(stated, { quote: other }, flat(other))
    },
    "quote cut in a number": (stated) => {
      const quote = quoteOf(stated)
      const number = pick([...(quote ?? "").matchAll(/(?<=[\s:=(])\d{2,}(?=[\s,;)%]|$)/g)])
      if (quote === null || number === undefined) return null
      const part = quote.slice(0, number.index + number[0].length - 1)
      const rest = known[stated.which]?.text ?? ""
      const isWhole = new RegExp(`${escaped(JSON.stringify(flat(part)).slice(1, -1))}(?!\\d)`)
      return part.length < 3 || isWhole.test(rest.replaceAll(/(?:\\[nrt]|\s)+/g, " "))
        ? null
        : recited(stated, { quote: part }, flat(part))
    },
    "sign in the quote": (stated) =>
      requoted(stated, (quote) => {
        const number = pick(amounts(quote))
        return number === undefined ? null : replaceAt(quote, number.index, 0, "-")
      }),
    "unit in quote and text": (stated) => {
      const quote = quoteOf(stated)
      const other = quote === null ? null : changeUnit(quote)
      return other === null || !isAbsent(stated.which, other) ? null : recited(stated, { quote: other }, flat(other))
    },
    "look-alike in the quote": (stated) =>
      requoted(stated, (quote) => {
        const places = [...quote].flatMap((sign, at) => lookAlikes[sign] === undefined ? [] : [at])
        const at = pick(places)
        return at === undefined
          ? null
          : [...quote].map((sign, place) => place === at ? lookAlikes[sign] ?? sign : sign).join("")
      }),
    "unseen sign in the quote": (stated) =>
      requoted(stated, (quote) => replaceAt(quote, 1 + below(quote.length - 1), 0, pick(["\u200b", "\u2060"]) ?? "")),
    "word more in the quote": (stated) =>
      requoted(stated, (quote) => quote.replace(/(?<=\w)\s+(?=\w)/, (space) => `${space}not `)),
    "quote out of two results": (stated) => {
      const other = truth("quote")
      const quote = quoteOf(stated)
      if (other === null || quote === null || other.which === stated.which) return null
      return requoted(stated, (quote) => `${quote} ${quoteOf(other) ?? ""}`)
    },
    "number in the text": (stated) => restated(stated, swapDigit),
    "number cut short in the text": (stated) =>
      restated(stated, (number) => /^\d{2,}$/.test(number) ? number.slice(0, -1) : null),
    "sign in the text": (stated) => restated(stated, (number) => Number(number) === 0 ? null : `−${number}`),
    "unit in the text": (stated) => {
      const text = changeUnit(stated.claim.text)
      const values = [...(text ?? "").matchAll(/\d+(?:\.\d+)?(?= ?(?:ms|s|minutes|hours|days|GB|MB|kB)(?!\w))/g)]
      // The same number with another unit, or with none, may stand there as well.
      const isOnce = values.every(([value]) =>
        (stated.taken.match(/\d+(?:\.\d+)?/g) ?? []).filter((one) => Number(one) === Number(value)).length <= 1
      )
      return text === null || !isOnce ? null : { ...stated.claim, text }
    },
    "number more in the text": (stated) => {
      const more = String(1_000_003 + below(1e6))
      return stated.taken.includes(more) ? null : { ...stated.claim, text: `${stated.claim.text} and ${more} more` }
    },
    "value at the path": (stated) => {
      const citation = first(stated)
      if (!("equals" in citation)) return null
      const { equals } = citation
      const other = typeof equals === "number" ? equals + 1 : `${String(equals)}.`
      return recited(stated, { equals: other }, flat(String(other)))
    },
    "another path": (stated) => {
      const citation = first(stated)
      const leaf = pick(leaves(all[stated.which] ?? null))
      if (!("equals" in citation) || leaf === undefined || leaf.value === citation.equals) return null
      return recited(stated, { path: leaf.path })
    },
    "path to nowhere": (stated) => "equals" in first(stated) ? recited(stated, { path: "/no/such/0" }) : null,
    "number that is measured": (stated) => {
      const citation = first(stated)
      if (!("number" in citation)) return null
      const other = Number(swapDigit(String(citation.number)))
      return other === citation.number || !Number.isFinite(other)
        ? null
        : recited(stated, { number: other }, stated.claim.text.replace(String(citation.number), String(other)))
    },
    "unit that is measured": (stated) => {
      const citation = first(stated)
      if (!("number" in citation) || citation.unit === undefined) return null
      const unit = pick(["kB", "s", "Hz", "%", "minutes"]) ?? "s"
      return recited(stated, { unit }, `${citation.number} ${unit}`)
    },
    "another count": (stated) => {
      const citation = first(stated)
      if (!("count" in citation)) return null
      const count = Math.max(0, citation.count + (pick([-1, 1, 2, 10]) ?? 1))
      return count === citation.count
        ? null
        : recited(stated, { count }, stated.claim.text.replace(String(citation.count), String(count)))
    },
    "one true and one false": (stated) => ({
      ...stated.claim,
      evidence: [...stated.claim.evidence, cite(stated.which, { quote: "nobody has recorded these words" })]
    })
  }

  /** A claim altered in that way; `null` where none of a hundred can be. */
  const forge = (way: string): Stated | null => {
    for (let tries = 0; tries < 100; tries++) {
      const stated = truth()
      const claim = stated === null ? null : forgeries[way]?.(stated) ?? null
      if (stated !== null && claim !== null) return { ...stated, claim }
    }
    return null
  }

  return { truth, forge, kinds: Object.keys(makers), ways: Object.keys(forgeries) }
}

const secondsIn = (unit: string) => unit === "hours" ? 3600 : unit.startsWith("min") ? 60 : 1
const escaped = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&")
