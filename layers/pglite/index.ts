/** The embedded database. */
export * as PgliteClient from "./Client.ts"
export { acquire, FolderError, holder } from "./Lock.ts"
