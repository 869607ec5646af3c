/** Anchors in object storage. */
export * as Bucket from "./Bucket.ts"
export * as S3Anchors from "./S3Anchors.ts"
export * as S3Config from "./S3Config.ts"
