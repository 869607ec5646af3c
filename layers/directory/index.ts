/** Anchors in a directory, for development. */
export * as DirectoryAnchors from "./DirectoryAnchors.ts"
