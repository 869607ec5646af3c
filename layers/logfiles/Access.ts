/**
 * Why a path could not be read, in words an operator can act on.
 *
 * Layers over files share it, so that a missing file is named and remedied the same way by all of them.
 */
import type { PlatformError } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"

/** Translates the system's refusal of `path`: nothing of it was read, and a retry after the remedy can help. */
export const unreachable = (path: string, error: PlatformError.PlatformError): Source.Unreachable => {
  switch (error.reason._tag) {
    case "NotFound":
      return new Source.Unreachable({ detail: `${path} does not exist`, remedy: `check the path ${path}` })
    case "PermissionDenied":
      return new Source.Unreachable({
        detail: `${path} may not be read by this user`,
        remedy: `run as a user who may read ${path}, or grant this user read access to it`
      })
    case "BadResource":
      return new Source.Unreachable({
        detail: `${path} is not a file that can be opened`,
        remedy: `name a regular file or a folder instead of ${path}`
      })
    default:
      return new Source.Unreachable({
        detail: `${path} could not be read (${error.reason._tag})`,
        remedy: `check the disk that holds ${path}, then read again`
      })
  }
}

/** The same reason as a part of a source that is missing from an otherwise readable whole. */
export const gap = (source: string, reason: Source.Unreachable | Source.Unreadable): Source.Gap => ({
  source,
  detail: reason.detail,
  remedy: reason.remedy
})
