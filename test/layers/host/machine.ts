/** The files of a small Linux machine, as text. */

/** The `stat` of one process. */
export const stat = (pid: number, name: string, state: string, ticks: number, pages: number, started = 9) =>
  `${pid} (${name}) ${state} 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${started} 0 ${pages} 0`

/** Files below /proc; tests take away or replace some. */
export const machine: Readonly<Record<string, string>> = {
  "stat": "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 5 0 5 40 0 0 0 0\ncpu1 5 0 5 40 0 0 0 0\n",
  "meminfo": "MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\nSwapFree: 25 kB\n",
  "loadavg": "4.00 2.00 1.00 1/2 3\n",
  "sys/fs/file-nr": "25 0 100\n",
  "pressure/cpu": "some avg10=50.00 avg60=0.00 avg300=0.00 total=1\n",
  "pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
  "pressure/io": "full avg10=10.00 avg60=0.00 avg300=0.00 total=1\n",
  "self/mountinfo": "1 1 8:1 / / rw - ext4 /dev/sda rw\n",
  "diskstats": "8 0 sda 10 0 0 100 20 0 0 400 0 500 1000\n",
  "net/dev": "eth0: 1000 0 0 0 0 0 0 0 5000 0\n",
  "7/stat": stat(7, "worker", "R", 100, 50),
  "7/status": "Name: worker\nVmRSS: 200 kB\n",
  "8/stat": stat(8, "gone", "Z", 0, 0)
}
