/**
 * How the backend `bedrock` is looked at. Its endpoint has no question that costs nothing, so what is learnt is that
 * somebody answers there; the key is not sent.
 */
import { Effect } from "effect"
import { type Check, Setup } from "../../src/backend/index.ts"
import { keyVariable, packageNames, regionSet, urlVariable, vendorUrl } from "./Bedrock.ts"

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "bedrock",
  packages: packageNames,
  keys: [keyVariable, "AWS_ACCESS_KEY_ID", "AWS_PROFILE"],
  // A role of the machine, for one: the SDK looks for it when it is asked.
  keyless: "elsewhere",
  endpoint: (model) =>
    Effect.flatMap(
      regionSet,
      (region) =>
        Setup.endpoint("bedrock", { model }, { baseUrl: vendorUrl(region), baseUrlVariable: urlVariable, model })
    ),
  question: ({ endpoint }) => ({ url: endpoint, method: "GET", headers: {}, proves: "answer" })
}
