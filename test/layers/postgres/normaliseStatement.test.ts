/** Statements lose their values, whatever way PostgreSQL lets one write them. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { normaliseStatement, statementLength } from "../../../layers/postgres/PostgresSource.ts"

describe("normaliseStatement", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["SELECT *\n  FROM t1 WHERE id = 42", "SELECT * FROM t1 WHERE id = ?"],
    ["select 1.5e10, -3 from t where a > 0xff and b < .5", "select ?, -? from t where a > ? and b < .?"],
    ["select a from t where b in (1, 2, 'x',3)", "select a from t where b in (?, ...)"],
    ["select 'it''s' from t", "select ? from t"],
    [String.raw`select E'it\'s', n'a', U&'\0041', x'ff' as h`, "select ?, ... as h"],
    [String.raw`select a like'\' and b = 'secret'`, "select a like? and b = ?"],
    ["select $$a 'b' c$$, $tag$ x $$ y $tag$ z", "select ?, ... z"],
    ["select $1, $2 from \"T 1\" where \"it\"\"s 'q'\" = $3", "select $1, $2 from \"T 1\" where \"it\"\"s 'q'\" = $3"],
    ["select a -- secret\nfrom t /* secret */ where b", "select a from t where b"],
    ["select a /* one /* two */ secret */ from t", "select a"],
    ["alter role r password 'secre", "alter role r password ?"],
    ["select $x$ secre", "select ?"],
    ["select a /* secre", "select a"],
    [String.raw`select E'secre\'`, "select ?"],
    ["select '--', 'secret'", "select ?, ..."],
    ["<insufficient privilege>", "<insufficient privilege>"],
    ["", ""]
  ]
  for (const [statement, expected] of cases) {
    it(`reads ${JSON.stringify(statement)}`, () => assert.strictEqual(normaliseStatement(statement), expected))
  }

  it("is bounded, and quick on hostile text", () => {
    assert.strictEqual(normaliseStatement(`select ${"column_name, ".repeat(500)}`).length, statementLength)
    for (const piece of ["/*", "'", "$a$", "E'\\", "\"", "--", "$$", "1", "? ,"]) {
      assert.isAtMost(normaliseStatement(piece.repeat(4096)).length, statementLength)
    }
  })

  it.prop("never shows a quoted value", [Schema.String, Schema.String], ([before, after]) => {
    const value = `${before}hunter2${after}`
    const quoted = `'${value.replaceAll("'", "''")}'`
    const escaped = `E'${value.replaceAll(/[\\']/g, String.raw`\$&`)}'`
    const shown = normaliseStatement(`select ${quoted}, ${escaped}, $q7$${value.replaceAll("$", "")}$q7$ from t`)
    assert.strictEqual(shown, "select ?, ... from t")
  })
})
