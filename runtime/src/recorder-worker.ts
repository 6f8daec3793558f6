/** The recorder's thread, on the disk. */
import { createLogFile } from './log-file.js';
import { recordTicks } from './record-ticks.js';

recordTicks(createLogFile);
