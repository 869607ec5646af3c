/** A recorded incident in the neutral layout: a disk that fills up, and a setting that was changed. */

const from = 1_795_000_000_000
const minuteMs = 60_000

const time = (minute: number) => new Date(from + minute * minuteMs).toISOString()

/** Its files, by path. */
export const diskIncident: Readonly<Record<string, string>> = {
  "metrics.json": JSON.stringify([{
    signal: "disk.used_ratio",
    resource: "/var",
    unit: "ratio",
    origin: "node_filesystem_used",
    points: Array.from({ length: 60 }, (_, minute) => ({ at: from + minute * minuteMs, value: 0.7 + minute * 0.0049 }))
  }]),
  "logs/app.log": [
    ...Array.from({ length: 50 }, (_, minute) => `${time(minute)} INFO request ${minute} served`),
    ...Array.from({ length: 5 }, (_, minute) => `${time(50 + minute)} ERROR write failed: No space left on device`)
  ].join("\n"),
  "config.yaml": "retention_days: 90\nworkers: 4\n",
  "baseline.yaml": "retention_days: 7\nworkers: 4\n"
}
