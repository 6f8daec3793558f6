/** How long the garbage collector stopped this thread, as V8 itself measures it. */
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import type { Histogram } from './histogram.js';

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
