/** `aosiq/client`: the typed client of the HTTP API, and the definition that it is made of. */
export { Api } from "./Api.ts"
export * as Client from "./Client.ts"
export * as Problem from "./Problem.ts"
export * as Remote from "./Remote.ts"
