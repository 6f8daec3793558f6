/** What V8's own trace says about the collector in one thread of a process that ran with `--trace-event-categories=v8`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly cat: string;
  readonly tid: number;
  /** µs */
  readonly ts: number;
  readonly dur?: number;
  /** Of it, what the thread had a processor for, µs. */
  readonly tdur?: number;
}

export interface GcTrace {
  /** Times that the collector had the thread, by what it did there. */
  readonly count: Readonly<Record<string, number>>;
  readonly longestUs: number;
  /** The longest without the time in which the system ran something else meanwhile. */
  readonly longestCpuUs: number;
  readonly overMillisecond: number;
  readonly totalUs: number;
}

/**
 * @param folder of the trace's files and nothing else
 * @param skipS of the process's life: loading and compiling are left out
 * @throws KitError E_TRACE where the files hold no event of the thread
 */
export function readGcTrace(folder: string, thread: number, skipS = 0): GcTrace {
  const count: Record<string, number> = {};
  let longestUs = 0;
  let longestCpuUs = 0;
  let overMillisecond = 0;
  let totalUs = 0;
  let fromUs: number | undefined;
  for (const file of readdirSync(folder).sort()) {
    const { traceEvents } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { traceEvents: TraceEvent[] };
    for (const { name, ph, cat, tid, ts, dur = 0, tdur = dur } of traceEvents) {
      if (tid !== thread || ph === 'M') continue;
      fromUs ??= ts + skipS * 1e6;
      if (ts < fromUs || ph !== 'X' || cat !== 'v8' || !name.startsWith('V8.GC')) continue;
      count[name] = (count[name] ?? 0) + 1;
      longestUs = Math.max(longestUs, dur);
      longestCpuUs = Math.max(longestCpuUs, tdur);
      if (dur > 1000) overMillisecond++;
      totalUs += dur;
    }
  }
  if (fromUs === undefined)
    throw new KitError('E_TRACE', `${folder} holds no trace of thread ${thread}`, 'report this', 'bug');
  return { count, longestUs, longestCpuUs, overMillisecond, totalUs };
}
