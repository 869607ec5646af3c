/** This machine as a source of evidence: its measurements, its kernel parameters, and where its logs usually are. */
export { layerMetrics } from "./HostMetrics.ts"
export { layerSettings } from "./HostSettings.ts"

/** The text logs of a Linux machine, which differ between distributions: those that may be read are enough. */
export const defaultLogPaths: ReadonlyArray<string> = ["/var/log/syslog", "/var/log/messages", "/var/log/kern.log"]
