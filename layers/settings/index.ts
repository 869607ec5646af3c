/** Configuration files as a source of the advisor: the door of this room. */
export * as Formats from "./Formats.ts"
export * as SettingFiles from "./SettingFiles.ts"
export * as TextFile from "./TextFile.ts"
