/** How the backend `openai` is looked at: the vendor tells of a model for nothing. */
import { type Check, Setup } from "../../src/backend/index.ts"
import { keyVariable, packageName, urlVariable, vendorUrl } from "./OpenAi.ts"

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "openai",
  packages: [packageName],
  keys: [keyVariable],
  keyless: "never",
  endpoint: (model) => Setup.endpoint("openai", { model }, { baseUrl: vendorUrl, baseUrlVariable: urlVariable, model }),
  question: ({ endpoint, key = "", model }) => ({
    url: `${endpoint}/models/${encodeURIComponent(model)}`,
    method: "GET",
    headers: { authorization: `Bearer ${key}` },
    proves: "model"
  })
}
