/** What can go wrong with the disk under a log, on any bus. */
import type { Fault } from './fault.js';

/** Files beside the log that tell failing-disk.ts how to fail. */
export const diskFailures = { full: '.full', stalled: '.stalled' } as const;
/** One that it leaves where a write has failed: from then on it could be noticed. */
export const metSuffix = '.met';

export const diskFaults: readonly Fault[] = [
  {
    row: 'disk full',
    name: 'half of a chunk is written, then there is no space left',
    expected: 'stops',
    reason: /ENOSPC|can't be written any more/,
    noticeable: 'disk failed',
    begin: bench => bench.disk('full', true),
    clear: bench => bench.disk('full', false),
  },
  {
    row: 'log writer stalled',
    name: 'the disk hangs for half a second',
    expected: 'rides out',
    begin: bench => bench.disk('stalled', true),
    clear: bench => bench.disk('stalled', false),
  },
  {
    row: 'log writer stalled',
    name: 'the disk hangs until the run is over, and the ring runs over',
    expected: 'rides out',
    lasts: true,
    ring: 32,
    begin: bench => bench.disk('stalled', true),
    clear: bench => bench.disk('stalled', false),
  },
];
