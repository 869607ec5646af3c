/** How the backend `gemini` is looked at: the vendor tells of a model for nothing. */
import { type Check, Setup } from "../../src/backend/index.ts"
import { keyVariables, packageName, urlVariable, vendorUrl } from "./Gemini.ts"

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "gemini",
  packages: [packageName],
  keys: keyVariables,
  keyless: "never",
  endpoint: (model) => Setup.endpoint("gemini", { model }, { baseUrl: vendorUrl, baseUrlVariable: urlVariable, model }),
  question: ({ endpoint, key = "", model }) => ({
    url: `${endpoint}/v1beta/models/${encodeURIComponent(model)}`,
    method: "GET",
    // In a header: what stands in an address ends up in logs.
    headers: { "x-goog-api-key": key },
    proves: "model"
  })
}
