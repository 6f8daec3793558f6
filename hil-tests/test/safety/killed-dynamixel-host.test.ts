import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamixelBus } from '@sim2servo/firmware-bridge/dynamixel/dynamixel-bus';
import { registers, watchdogFired } from '@sim2servo/firmware-bridge/dynamixel/registers';
import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import t from 'tap';
import { startBusRig } from '../../src/rig/bus/bus-rig.js';
import { startSwinging } from '../../src/scenarios/swinging-host.js';
import { dynamixelRobot } from '../support/dynamixel-robot.js';

const deadlineMs = 100;
/** Two steps of the emulation, the servo's own delay and its brakes, and how often its horn is looked at. */
const settlingMs = 40;
/** So slow that it would go on for seconds. */
const maxVelocity = 0.4;
const noiseCounts = 5;

/** Where each horn was in the middle of some looks at it: its encoder is off by a count or two, and now and again by more. */
function medians(trace: readonly { readonly counts: readonly number[] }[]): number[] {
  return trace[0]!.counts.map(
    (_, i) => trace.map(({ counts }) => counts[i]!).sort((a, b) => a - b)[trace.length >> 1]!,
  );
}

t.test(
  'a real host program on a real port, with Dynamixels on the other end',
  { skip: process.platform !== 'linux' && 'pseudo-terminals of this kind need Linux' },
  async t => {
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const)
      await t.test(`${signal}: each servo stops by itself within its bus watchdog, and stays`, async t => {
        const robot = dynamixelRobot(t.testdir({}), ['xl430-w250', 'xl330-m288'], deadlineMs, maxVelocity);
        const rig = await startBusRig({ robot: robot.folder });
        t.teardown(() => rig.stop());
        const child = await startSwinging(robot.folder, rig.path, 'far');
        t.teardown(() => child.kill('SIGKILL'));
        await sleep(300);
        child.kill(signal);
        await sleep(700);
        const { trace, lastHostByteUs, torque, goals } = await rig.report();
        t.same(torque, [1, 1], 'held, not limp');
        const smooth = trace
          .slice(2, -2)
          .map(({ timeUs }, at) => ({ timeUs, counts: medians(trace.slice(at, at + 5)) }));
        const stood = { timeUs: trace.at(-1)!.timeUs, counts: medians(trace.slice(-21)) };
        const moving = smooth.filter(({ counts }) =>
          counts.some((count, i) => Math.abs(count - stood.counts[i]!) > noiseCounts),
        );
        const stoppedMs = (moving.at(-1)!.timeUs - lastHostByteUs) / 1000;
        t.ok(stoppedMs > 20, `it was moving when the host died, and ${stoppedMs.toFixed(1)} ms longer`);
        t.ok(stoppedMs <= deadlineMs + settlingMs, `still ${stoppedMs.toFixed(1)} ms after the last byte`);
        t.ok(stood.timeUs - lastHostByteUs > 400_000, 'looked at long enough');
        for (const [i, goal] of goals.entries())
          t.ok(Math.abs(goal - stood.counts[i]!) > 100, `servo ${i} had a way to go: ${goal} from ${stood.counts[i]}`);

        if (signal === 'SIGSTOP') {
          child.kill('SIGCONT');
          await sleep(300);
          const { trace: after } = await rig.report();
          for (const [i, count] of after.at(-1)!.counts.entries())
            t.ok(Math.abs(count - stood.counts[i]!) <= noiseCounts, 'a host that comes back moves nothing');
          child.kill('SIGKILL');
        }
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
        const bus = new DynamixelBus(await openSerial(rig.path, 1_000_000), new RealtimeClock(), 1_000_000);
        for (const servo of robot.site.servos) {
          t.equal(await bus.read(servo, registers.busWatchdog), watchdogFired, 'latched');
          await t.rejects(bus.write(servo, registers.goalPosition, 2048), { code: 'E_SERVO_REFUSED' });
        }
        await bus.port.close();
      });
  },
);
