import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import * as Format from "../../../layers/logfiles/Format.ts"

const utc = DateTime.zoneMakeOffset(0)
const modifiedAt = Date.UTC(2026, 2, 27)
const parse = Format.makeParser({ zone: utc, modifiedAt })

const instant = (iso: string | null) => iso === null ? null : DateTime.toEpochMillis(DateTime.makeUnsafe(iso))

const cases: ReadonlyArray<readonly [name: string, line: string, at: string | null, level: string, message: string]> = [
  [
    "syslog RFC 3164 with a priority",
    "<34>Mar 11 22:14:15 host su: 'su root' failed",
    "2026-03-11T22:14:15Z",
    "fatal",
    "host su: 'su root' failed"
  ],
  [
    "syslog as rsyslog writes it",
    "Mar  6 11:58:00 db1 postgres[12]: error: could not write",
    "2026-03-06T11:58:00Z",
    "error",
    "db1 postgres[12]: error: could not write"
  ],
  [
    "syslog RFC 5424",
    `<165>1 2003-10-11T22:14:15.003Z host app - ID47 [x@1 iut="3"] An event`,
    "2003-10-11T22:14:15.003Z",
    "info",
    `host app - ID47 [x@1 iut="3"] An event`
  ],
  [
    "ISO with an offset",
    "2026-03-26T11:58:00.123456+01:00 ERROR it broke",
    "2026-03-26T10:58:00.123Z",
    "error",
    "ERROR it broke"
  ],
  [
    "Python logging",
    "2026-03-26 11:58:00,123 - app.worker - WARNING - queue is slow",
    "2026-03-26T11:58:00.123Z",
    "warn",
    "app.worker - WARNING - queue is slow"
  ],
  ["a bracketed time", "[2026-03-26 11:58:00] [debug] no route", "2026-03-26T11:58:00Z", "debug", "[debug] no route"],
  [
    "an access log, refused by the server",
    `::1 - - [26/Mar/2026:11:58:00 -0700] "POST /x HTTP/1.1" 502 157 "-" "curl/8"`,
    "2026-03-26T18:58:00Z",
    "error",
    `::1 - - [26/Mar/2026:11:58:00 -0700] "POST /x HTTP/1.1" 502 157 "-" "curl/8"`
  ],
  [
    "an access log, answered",
    `10.0.0.1 - bob [26/Mar/2026:11:58:00 +0000] "GET / HTTP/1.0" 200 23`,
    "2026-03-26T11:58:00Z",
    "info",
    `10.0.0.1 - bob [26/Mar/2026:11:58:00 +0000] "GET / HTTP/1.0" 200 23`
  ],
  [
    "nginx's error log",
    "2026/03/26 11:58:00 [crit] 12#0: *1 open() failed",
    "2026-03-26T11:58:00Z",
    "fatal",
    "[crit] 12#0: *1 open() failed"
  ],
  [
    "Apache's error log",
    "[Wed Mar 25 14:32:52.123456 2026] [core:error] [pid 35] File does not exist",
    "2026-03-25T14:32:52.123Z",
    "error",
    "[core:error] [pid 35] File does not exist"
  ],
  [
    "PostgreSQL",
    "2026-03-26 11:58:00.123 UTC [1234] app@db FATAL:  too many clients",
    "2026-03-26T11:58:00.123Z",
    "fatal",
    "[1234] app@db FATAL:  too many clients"
  ],
  [
    "PostgreSQL's own level",
    "2026-03-26 11:58:00.123 +03 [1234] app@db LOG:  checkpoint starting",
    "2026-03-26T08:58:00.123Z",
    "info",
    "[1234] app@db LOG:  checkpoint starting"
  ],
  [
    "klog",
    "E0326 11:58:00.123456   1 server.go:12] no sync",
    "2026-03-26T11:58:00.123Z",
    "error",
    "1 server.go:12] no sync"
  ],
  [
    "logfmt",
    `level=warn component=scheduler ts=2026-03-26T11:58:00Z msg="slow"`,
    "2026-03-26T11:58:00Z",
    "warn",
    `level=warn component=scheduler ts=2026-03-26T11:58:00Z msg="slow"`
  ],
  [
    "a day-first time",
    "26-Mar-2026 11:58:00.123 SEVERE [main] failed",
    "2026-03-26T11:58:00.123Z",
    "error",
    "SEVERE [main] failed"
  ],
  [
    "pino",
    `{"level":50,"time":1774526280123,"msg":"query failed","err":{"message":"timeout"}}`,
    "2026-03-26T11:58:00.123Z",
    "error",
    "query failed: timeout"
  ],
  [
    "Elastic's schema",
    `{"@timestamp":"2026-03-26T11:58:00Z","log":{"level":"warn"},"message":"slow"}`,
    "2026-03-26T11:58:00Z",
    "warn",
    "slow"
  ],
  [
    "journald's export",
    `{"__REALTIME_TIMESTAMP":"1774526280123456","PRIORITY":"3","MESSAGE":"unit failed"}`,
    "2026-03-26T11:58:00.123Z",
    "error",
    "unit failed"
  ],
  [
    "epoch seconds and other key names",
    `{"ts":1774526280.5,"lvl":"DEBUG","msg":"x"}`,
    "2026-03-26T11:58:00.500Z",
    "debug",
    "x"
  ],
  [
    "severity and timestamp",
    `{"timestamp":"2026-03-26 11:58:00","severity":"CRITICAL","message":"y"}`,
    "2026-03-26T11:58:00Z",
    "fatal",
    "y"
  ],
  [
    "JSON without a message",
    `{"time":"2026-03-26T11:58:00Z","code":7}`,
    "2026-03-26T11:58:00Z",
    "unknown",
    `{"time":"2026-03-26T11:58:00Z","code":7}`
  ],
  ["broken JSON", `{"level":"info"`, null, "unknown", `{"level":"info"`],
  ["a sentence about errors", "no error was found", null, "unknown", "no error was found"],
  ["an impossible date", "2026-13-45 11:58:00 INFO bad", null, "info", "2026-13-45 11:58:00 INFO bad"],
  [
    "a date that is part of the message",
    "job 1 of the nightly maintenance window is planned for 2026-03-26 11:58:00",
    null,
    "unknown",
    "job 1 of the nightly maintenance window is planned for 2026-03-26 11:58:00"
  ]
]

describe("a log line", () => {
  for (const [name, line, at, level, message] of cases) {
    it(name, () => assert.deepStrictEqual(parse(line), { at: instant(at), level, message } as Format.Said))
  }

  it("without a year is from before the file last changed", () => {
    assert.strictEqual(parse("Dec 31 23:59:59 host app: x").at, instant("2025-12-31T23:59:59Z"))
    const newYear = Format.makeParser({ zone: utc, modifiedAt: Date.UTC(2025, 11, 31, 23, 59) })
    assert.strictEqual(newYear("Jan  1 00:30:00 host app: x").at, instant("2026-01-01T00:30:00Z"))
  })

  it("without a zone is in the zone given, summer time included", () => {
    const berlin = Format.makeParser({ zone: DateTime.zoneMakeNamedUnsafe("Europe/Berlin"), modifiedAt })
    assert.strictEqual(berlin("2026-01-26 12:00:00 x").at, instant("2026-01-26T11:00:00Z"))
    assert.strictEqual(berlin("2026-07-26 12:00:00 x").at, instant("2026-07-26T10:00:00Z"))
    assert.strictEqual(berlin("2026-07-26 12:00:00Z x").at, instant("2026-07-26T12:00:00Z"))
    const west = Format.makeParser({ zone: DateTime.zoneMakeOffset(-5 * 3_600_000), modifiedAt })
    assert.strictEqual(west("2026-01-26 12:00:00 x").at, instant("2026-01-26T17:00:00Z"))
  })
})
