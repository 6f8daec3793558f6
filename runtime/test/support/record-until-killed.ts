/** A process that records at 50 Hz and says after each tick what it has recorded, until it is killed. */
import { writeSync } from 'node:fs';
import { RealtimeClock } from '../../src/realtime-clock.js';
import { Recorder } from '../../src/recorder.js';
import { header, sampleTick, sizes } from './sample-log.js';

const recorder = await Recorder.open({ path: process.argv[2]!, header, sizes });
const clock = new RealtimeClock();
for (let i = 0; ; i++) {
  const tick = sampleTick(i);
  tick.timeS = Date.now() / 1000;
  tick.step = i;
  recorder.record(tick);
  writeSync(1, `${JSON.stringify({ timeS: tick.timeS, total: i + 1 })}\n`);
  await clock.waitUntil(clock.nowUs() + 20_000);
}
