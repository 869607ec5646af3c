/** The embedded database. */
export * as PgliteClient from "./Client.ts"
export { FolderError, holder } from "./Lock.ts"
