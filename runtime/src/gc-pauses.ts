/** How long the garbage collector stopped this thread, as V8 itself measures it. */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Histogram } from './histogram.js';

/**
 * V8 collects young objects with several threads and waits for all of them, also for one that has no core: a collection of 0.5 ms then
 * takes 2 to 7 (docs/timing.md). What a loop throws away one thread collects as fast.
 */
export function keepGcPausesShort(): void {
  setFlagsFromString('--no-parallel-scavenge');
}

type Collect = (options?: { readonly type: 'minor' }) => void;

/** V8's own call, which it gives to who asks for it by a flag: on Node's command line, or now, to a context that is made then. */
function collector(): Collect {
  if (globalThis.gc !== undefined) return globalThis.gc as Collect;
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}

let found: Collect | undefined;
const collect: Collect = options => {
  found ??= collector();
  found(options);
};

/** Collects everything, some milliseconds long: what loading has left behind goes before an arm moves, not while it does. */
export function collectGarbage(): void {
  collect();
}

/** Collects young objects, some tenths of a millisecond long: when nothing is waited for, V8 would do it when something is. */
export function collectYoung(): void {
  collect({ type: 'minor' });
}

/**
 * How Node is started where a loop is to run. In a process's first minutes V8 else collects everything up to three times, 3 to 12 ms long,
 * only to give memory back; a loop's heap does not grow, so it has none to give. It counts on the command line of `node` alone.
 */
export const loopNodeFlags = ['--no-memory-reducer'] as const;

/** Records every pause from now on, in µs. @returns what ends it */
export function recordGcPauses(into: Histogram): () => void {
  const take = (entries: readonly PerformanceEntry[]) => {
    for (const { duration } of entries) into.record(duration * 1000);
  };
  const observer = new PerformanceObserver(list => take(list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    take(observer.takeRecords());
    observer.disconnect();
  };
}
