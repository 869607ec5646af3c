/** The door by HTTP. */
export * as Answers from "./Answers.ts"
export { Api } from "./Api.ts"
export * as Client from "./Client.ts"
export * as Limits from "./Limits.ts"
export * as Problem from "./Problem.ts"
export * as Repeats from "./Repeats.ts"
export * as Serve from "./Serve.ts"
