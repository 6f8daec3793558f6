/**
 * A recorder's thread on a disk that fails when it is told to, by files beside the log: `.full` leaves half of what is written and no room
 * for the rest, `.stalled` lets nothing through until it is gone. A real disk writes in parts, too.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { createLogFile, type LogFile } from '@sim2servo/runtime/log-file';
import { recordTicks } from '@sim2servo/runtime/record-ticks';
import { diskFailures, metSuffix } from './disk-faults.js';

const lookMs = 2;
const bed = new Int32Array(new SharedArrayBuffer(4));

function createFailingFile(path: string): LogFile {
  const file = createLogFile(path);
  return {
    ...file,
    append(bytes) {
      while (existsSync(path + diskFailures.stalled)) Atomics.wait(bed, 0, 0, lookMs);
      if (!existsSync(path + diskFailures.full)) return file.append(bytes);
      file.append(bytes.subarray(0, bytes.length / 2));
      writeFileSync(path + metSuffix, '');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    },
  };
}

recordTicks(createFailingFile);
