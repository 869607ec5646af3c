/** Anchors and alerts as files. */
export * as AlertFile from "./AlertFile.ts"
export * as DirectoryAnchors from "./DirectoryAnchors.ts"
