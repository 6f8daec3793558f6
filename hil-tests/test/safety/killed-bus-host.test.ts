import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';
import { startSwinging } from '../../src/scenarios/swinging-host.js';
import { feetechFolder } from '../support/feetech-arm.js';

/** What 4 rad/s come to in the lead of 100 ms, and what noise and backlash add. */
const leadCounts = (4 * 0.1 * 4096) / (2 * Math.PI);
const noiseCounts = 20;
/** The lead, and the time that a servo lags behind its goal. */
const settledUs = 100_000 + 100_000;

t.test(
  'a real host program on a bus of servos without a deadline',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  async t => {
    const folder = feetechFolder();
    const rig = await startBusRig({ robot: folder });
    t.teardown(() => rig.stop());

    for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
      await t.test(`${signal}: every joint stands within the lead of its last goal, and does not go on`, async t => {
        const child = await startSwinging(folder, rig.path);
        await sleep(400);
        await rig.tell({ kind: 'clear' });
        await sleep(200);
        child.kill(signal);
        await sleep(700);
        const { trace, lastHostByteUs, torque, nowUs } = await rig.report();
        t.same(torque, [1, 1], 'the arm is held, not limp');
        const swinging = trace.filter(({ timeUs }) => timeUs < lastHostByteUs);
        const span = (j: number) => {
          const counts = swinging.map(sample => sample.counts[j]!);
          return Math.max(...counts) - Math.min(...counts);
        };
        t.ok(span(0) > noiseCounts && span(1) > noiseCounts, `it was in motion: ${span(0)} and ${span(1)} counts`);
        const last = swinging.at(-1)!;
        const after = trace.filter(({ timeUs }) => timeUs >= lastHostByteUs);
        const settled = after.filter(({ timeUs }) => timeUs > lastHostByteUs + settledUs);
        t.ok(settled.length > 20, `${((nowUs - lastHostByteUs) / 1000).toFixed(0)} ms were seen since`);
        for (const j of [0, 1]) {
          const went = Math.max(...after.map(sample => Math.abs(sample.counts[j]! - last.counts[j]!)));
          t.ok(went <= leadCounts + noiseCounts, `joint ${j} went ${went} of at most ${leadCounts.toFixed(0)} counts`);
          const drift = Math.max(...settled.map(sample => Math.abs(sample.counts[j]! - settled[0]!.counts[j]!)));
          t.ok(drift <= noiseCounts, `joint ${j} stands: ${drift} counts`);
        }
        if (signal === 'SIGSTOP') {
          await rig.tell({ kind: 'clear' });
          child.kill('SIGCONT');
          await sleep(500);
          const back = await rig.report();
          t.ok(back.lastHostByteUs > lastHostByteUs, 'the host is back');
          for (const j of [0, 1]) {
            const moved = Math.max(
              ...back.trace.map(sample => Math.abs(sample.counts[j]! - settled.at(-1)!.counts[j]!)),
            );
            t.ok(moved <= noiseCounts, `what it wants is old: joint ${j} moved ${moved} counts`);
          }
        }
        child.kill('SIGKILL');
      });
  },
);
