/** `kit doctor --rt`: how late this machine wakes a loop, which rates that leaves, and what would make it better. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import type { HistogramSummary } from '@sim2servo/runtime/histogram';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { requestRealtimePriority } from '@sim2servo/runtime/realtime-priority';
import { measureWakeUps } from '@sim2servo/runtime/wake-ups';

const ratesHz = [50, 100, 200, 500, 1000];
/** With fewer, one hiccup of the machine would be its p99.9. */
const leastTicks = 1000;
const leastSeconds = 2;
/** A rate is realistic where 999 of 1 000 ticks begin within this share of the period; so is a slower one, which has more time. */
const tolerated = 0.1;

interface Lateness extends Pick<HistogramSummary, 'p50' | 'p99' | 'p999' | 'max'> {
  readonly hz: number;
}

interface RateReport extends Lateness {
  readonly realistic: boolean;
}

export interface WakeUpReport {
  /** Lateness in µs. */
  readonly ordinary: readonly RateReport[];
  /** With real-time priority; absent where it was refused. */
  readonly realtime?: readonly RateReport[];
  readonly priority: string;
  readonly advice: readonly string[];
}

/** @param secondsAt how long it is woken at each rate */
export async function wakeUpReport(
  onProgress: (what: string) => void,
  secondsAt = (hz: number) => Math.max(leastSeconds, leastTicks / hz),
): Promise<WakeUpReport> {
  const measure = async (clock: RealtimeClock, how: string) => {
    const rows: Lateness[] = [];
    for (const hz of ratesHz) {
      onProgress(`waking ${hz} times a second for ${secondsAt(hz)} s, ${how}`);
      const { p50, p99, p999, max } = await measureWakeUps(clock, hz, secondsAt(hz));
      rows.push({ hz, p50, p99, p999, max });
    }
    return realisticRates(rows);
  };
  const ordinary = await measure(new RealtimeClock(), 'as an ordinary program');
  const { granted, words } = requestRealtimePriority();
  const realtime = granted ? await measure(new RealtimeClock(), 'with real-time priority') : undefined;
  return { ordinary, ...(realtime && { realtime }), priority: words, advice: advice() };
}

export function realisticRates(rows: readonly Lateness[]): readonly RateReport[] {
  const inTime = rows.filter(({ hz, p999 }) => p999 <= (tolerated * 1e6) / hz);
  const fastestHz = Math.max(...inTime.map(({ hz }) => hz));
  return rows.map(row => ({ ...row, realistic: row.hz <= fastestHz }));
}

function advice(): string[] {
  const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');
  const said: string[] = [];
  const governor = read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');
  if (governor !== '' && governor !== 'performance')
    said.push(
      `the processor slows down between ticks (governor ${governor}): sudo cpupower frequency-set -g performance`,
    );
  if (process.platform === 'linux' && read('/sys/kernel/realtime') !== '1')
    said.push(
      `kernel ${release()} has no PREEMPT_RT: rarely needed below 500 Hz; apt install linux-image-rt-$(dpkg --print-architecture)`,
    );
  if (availableParallelism() > 1)
    said.push('keep a core for the loop: isolcpus=1 on the kernel command line, then taskset -c 1 kit run …');
  if (/^SwapTotal:\s+[1-9]/m.test(read('/proc/meminfo')))
    said.push('memory may be swapped out, and coming back takes milliseconds: sudo swapoff -a');
  if (
    spawnSync('systemd-detect-virt')
      .stdout?.toString()
      .trim()
      .match(/^(?!none$).+/)
  )
    said.push('this is a virtual machine: its host may stop it for milliseconds whenever it likes');
  return said;
}

export function wakeUpWords({ ordinary, realtime, priority, advice }: WakeUpReport): string {
  const table = (title: string, reports: readonly RateReport[]) => [
    `${title}: late by, µs          p50      p99    p99.9      max`,
    ...reports.map(
      ({ hz, p50, p99, p999, max, realistic }) =>
        `${`${hz} Hz`.padStart(10)}  ${realistic ? 'realistic    ' : 'not realistic'}  ${[p50, p99, p999, max].map(us => us.toFixed(us < 10 ? 1 : 0).padStart(7)).join('  ')}`,
    ),
  ];
  return [
    ...table('an ordinary program', ordinary),
    priority,
    ...(realtime === undefined ? [] : table('with real-time priority (kit run --fifo)', realtime)),
    `realistic: 999 of 1 000 ticks begin within ${tolerated * 100} % of the period`,
    ...advice.map(line => `→ ${line}`),
  ].join('\n');
}
