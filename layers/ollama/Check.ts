/** How the backend `ollama` is looked at: the server tells of a model that it has, and loads nothing for it. */
import { Effect } from "effect"
import { type Check, Setup } from "../../src/backend/index.ts"
import { hostSet, hostVariable, keyVariable, packageName, vendorUrl } from "./Ollama.ts"

/** The backend, as it is looked at. */
export const subject: Check.Subject = {
  backend: "ollama",
  packages: [packageName],
  keys: [keyVariable],
  keyless: "always",
  endpoint: (model) =>
    Effect.flatMap(
      hostSet,
      (baseUrl) =>
        Setup.endpoint("ollama", { model, baseUrl }, { baseUrl: vendorUrl, baseUrlVariable: hostVariable, model })
    ),
  question: ({ endpoint, key, model }) => ({
    url: `${endpoint}/api/show`,
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model }),
    proves: "model"
  })
}
