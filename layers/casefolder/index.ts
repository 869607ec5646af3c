/** Recorded incidents as a source of the advisor: the door of this room. */
export { layer, type Options } from "./CaseFolder.ts"
export { type Request, request } from "./Request.ts"
