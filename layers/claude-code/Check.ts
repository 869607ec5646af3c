/** How the backend `claude-code` is looked at: the program's version, and the vendor behind it. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { type Check, Setup } from "../../src/backend/index.ts"
import { question } from "../anthropic/index.ts"
import { install, keyVariables, programName, programOf, urlVariable, vendorUrl } from "./ClaudeCode.ts"

/** Milliseconds that the program has to say its version. */
const versionTimeoutMs = 10_000

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "claude-code",
  packages: [],
  program: {
    name: programName,
    remedy: install,
    version: Effect.orElseSucceed(Effect.flatMap(programOf(programName), versionOf), () => undefined)
  },
  keys: keyVariables,
  keyless: "never",
  endpoint: (model) =>
    Setup.endpoint("claude-code", { model }, { baseUrl: vendorUrl, baseUrlVariable: urlVariable, model }),
  // A subscription's token is for the program alone.
  question: ({ endpoint, key, model, variable }) =>
    question(endpoint, model, variable === keyVariables[0] ? key : undefined)
}

// internal

/** A program that does not say its version is there all the same. */
function versionOf(program: string): Effect.Effect<string> {
  return Effect.callback((resume) => {
    execFile(program, ["--version"], { timeout: versionTimeoutMs }, (_, stdout) => {
      resume(Effect.succeed(/\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? "of unknown version"))
    })
  })
}
