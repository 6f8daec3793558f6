import { setTimeout as sleep } from 'node:timers/promises';
import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import t from 'tap';
import { startAvrRig } from '../../src/rig/avr-rig.js';
import { latchedAfterMs } from '../../src/scenarios/real-time-host.js';
import { startSwinging } from '../../src/scenarios/swinging-host.js';

const deadlineMs = 60;
/** The frame that says so is sampled once a period and takes 2 ms on the wire. */
const tellingMs = 25;

t.test(
  'a real host program on a real port',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  async t => {
    const rig = await startAvrRig({ robot: 'desk2', imagePath: firmwareImage });
    t.teardown(() => rig.stop());

    for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
      await t.test(`${signal}: the firmware holds the arm by itself within its deadline`, async t => {
        await rig.tell({ kind: 'clear' });
        const child = await startSwinging('desk2', rig.path);
        child.kill(signal);
        const afterMs = await latchedAfterMs(rig);
        t.ok(afterMs <= deadlineMs + tellingMs, `latched ${afterMs.toFixed(1)} ms after the last byte`);
        await sleep(200);
        const { pulses, latchedUs, nowUs } = await rig.report();
        t.ok(nowUs > latchedUs + 100_000, `${((nowUs - latchedUs) / 1000).toFixed(0)} ms of pulses since`);
        // The timer was told the next pulse before the deadline passed: from that one on nothing changes.
        const frozen = pulses.filter(pulse => pulse.riseUs > latchedUs);
        for (const channel of [0, 1]) {
          const widths = frozen.filter(pulse => pulse.channel === channel).map(pulse => pulse.widthUs);
          t.ok(widths.length > 3, 'the arm is held, not limp');
          t.equal(new Set(widths.slice(1)).size, 1, 'the pulse is frozen');
        }
        child.kill('SIGKILL');
      });

    await t.test('a second program is refused by name of the first', async t => {
      const child = await startSwinging('desk2', rig.path);
      await t.rejects(openSerial(rig.path, 500_000), {
        code: 'E_PORT_BUSY',
        exit: 'noDevice',
        message: new RegExp(String(child.pid)),
      });
      child.kill('SIGKILL');
    });
  },
);
