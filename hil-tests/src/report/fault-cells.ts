/** How a fault that was done reads in a table, whatever the table is written in. */
import type { FaultOutcome } from '../faults/judge-fault.js';

/** Behind the mark that says whether it passed. */
export const faultHeads = ['fault', 'bus', 'what was done', 'expected', 'seen', 'stands after, ms', 'log'];

export function faultCells(fault: FaultOutcome): string[] {
  const { row, bus, name, expected, passed, seen, failures } = fault;
  return [
    row,
    bus,
    name,
    expected,
    passed ? seen : `${seen}; ${failures.join('; ')}`,
    timeWords(fault),
    logWords(fault),
  ];
}

/** From when it could be noticed; where that is later than the fault, this is said. */
function timeWords({ stoppedMs, noticeableMs }: FaultOutcome): string {
  if (stoppedMs === undefined) return '–';
  return noticeableMs > 0
    ? `${stoppedMs.toFixed(0)} (noticeable after ${noticeableMs.toFixed(0)})`
    : stoppedMs.toFixed(0);
}

function logWords({ log }: FaultOutcome): string {
  if (log.wrong !== '') return log.wrong;
  return log.complete && log.dropped === 0 ? 'whole' : `${log.records} of ${log.ticks} ticks, as it must`;
}
