/** Runs the loop on the virtual board for many ticks, and says how much the heap grew and how much was thrown away meanwhile. */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { listedGoals } from '../../src/goal-source.js';
import { createRingMemory, RecordRing } from '../../src/record-ring.js';
import { recordSizes } from '../../src/tick-record.js';
import { driveRing } from '../../src/trial/drive-ring.js';
import { DriveOverseer } from '../../src/trial/overseer.js';
import { fixture, functionPolicy, goal, robot } from './arm-fixture.js';

const ticks = Number(process.argv[2]);
const ring = new RecordRing(createRingMemory(recordSizes(robot.spec), 1024));
/** Nobody empties it: what finds no room costs as much as what does. */
const memory = driveRing(recordSizes(robot.spec), 1024);
const recorder = {
  record: (tick: Parameters<typeof ring.push>[0]) => {
    ring.push(tick, 0);
    return true;
  },
  failure: () => undefined,
};
const collect = globalThis.gc!;
let minor = 0;
const observer = new PerformanceObserver(list => {
  for (const entry of list.getEntries())
    if ((entry as unknown as { detail: { kind: number } }).detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) minor++;
});
observer.observe({ entryTypes: ['gc'] });

async function run(count: number): Promise<void> {
  let step = 0;
  const act = (_o: Float32Array, action: Float32Array) => {
    action[0] = Math.sin(step++ / 12) * 0.4;
    action[1] = -action[0]!;
  };
  const policy = functionPolicy(act);
  const overseer = new DriveOverseer({ memory, policy, controlRateHz: 50, serial: 0, share: 1, virtualTime: false });
  const { loop, board } = fixture(act, { goals: listedGoals([goal], count), recorder, policy, overseer });
  board.recordWrites = false;
  const report = await loop.run();
  if (report.end.kind !== 'done' || report.ticks < count) throw new Error(report.end.reason);
}

// Compiled code and the caches of its types grow at first, whatever the loop does.
await run(50_000);
collect();
const before = process.memoryUsage().heapUsed;
minor = 0;
await run(ticks);
await new Promise(resolve => setTimeout(resolve, 20));
const scavenges = minor;
collect();
console.log(JSON.stringify({ grownBytes: process.memoryUsage().heapUsed - before, scavenges }));
observer.disconnect();
