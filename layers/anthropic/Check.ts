/** How the backend `anthropic` is looked at: the vendor tells of a model for nothing. */
import { type Check, Setup } from "../../src/backend/index.ts"
import { keyVariable, packageName, urlVariable, vendorUrl } from "./Anthropic.ts"

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "anthropic",
  packages: [packageName],
  keys: [keyVariable],
  keyless: "never",
  endpoint: (model) =>
    Setup.endpoint("anthropic", { model }, { baseUrl: vendorUrl, baseUrlVariable: urlVariable, model }),
  question: ({ endpoint, key, model }) => question(endpoint, model, key)
}

/** Whether the vendor has the model, for whoever holds the key. */
export const question = (endpoint: string, model: string, key: string | undefined): Check.Question => ({
  url: `${endpoint}/v1/models/${encodeURIComponent(model)}`,
  method: "GET",
  headers: { "anthropic-version": "2023-06-01", ...(key === undefined ? {} : { "x-api-key": key }) },
  proves: key === undefined ? "answer" : "model"
})
