/** The watchdog is fed by ticks: by the service's while it waits, by the control loop's while it drives, and by nothing else. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { observationSize } from '@sim2servo/models/observe';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { endlessGoal } from '@sim2servo/runtime/goal-source';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import { runArm } from '@sim2servo/runtime/run-arm';
import t from 'tap';
import { openNotify } from '../../src/robot/notify.js';
import { RobotService } from '../../src/robot/service.js';
import { Watchdog } from '../../src/robot/watchdog.js';
import { DatagramReceiver } from '../support/datagram-receiver.js';
import { MemoryArm } from '../support/memory-arm.js';

function counted(watchdogUs: number | undefined) {
  const fed: number[] = [];
  let nowUs = 0;
  const watchdog = new Watchdog({ watchdogUs, alive: () => fed.push(nowUs) }, () => nowUs);
  return {
    fed,
    tick(ticks: number, atUs: number) {
      nowUs = atUs;
      watchdog.ticked(ticks);
    },
  };
}

t.test('it is fed at the first tick, then four times in an interval, however fast it ticks', async t => {
  const { fed, tick } = counted(1_000_000);
  for (let i = 0; i <= 100; i++) tick(i, i * 20_000);
  t.same(fed, [0, 260_000, 520_000, 780_000, 1_040_000, 1_300_000, 1_560_000, 1_820_000]);
});

t.test('a counter that stands still feeds nothing, whatever the time', async t => {
  const { fed, tick } = counted(1_000_000);
  tick(5, 0);
  for (let i = 1; i <= 100; i++) tick(5, i * 1_000_000);
  tick(4, 200_000_000);
  t.same(fed, [0]);
  tick(6, 200_000_001);
  t.same(fed, [0, 200_000_001]);
});

t.test('where systemd does not watch, nothing is fed', async t => {
  const { fed, tick } = counted(undefined);
  for (let i = 0; i < 10; i++) tick(i, i * 1_000_000);
  t.same(fed, []);
});

t.test(
  'a control loop that hangs is starved, although the process lives, its event loop turns and it answers',
  { skip: process.platform !== 'linux' && 'sockets of this kind are Linux’ own' },
  async t => {
    const robot = loadRobot('desk2');
    const clock = new RealtimeClock();
    const receiver = new DatagramReceiver(join(mkdtempSync(join(tmpdir(), 'watchdog-')), 'notify'));
    const notify = await openNotify({ NOTIFY_SOCKET: receiver.name, WATCHDOG_USEC: '400000' });
    const watchdog = new Watchdog(notify, () => clock.nowUs());
    const feeds = () => receiver.poll().filter(message => message === 'WATCHDOG=1').length;
    const arm = new MemoryArm(clock, [0.3, 1.4]);
    let hang = false;
    const policy = {
      observation: new Float32Array(observationSize(robot.spec)),
      action: new Float32Array(robot.spec.joints.length),
      infer: () => (hang ? new Promise<void>(() => {}) : undefined),
      rehearse: () => {},
    };
    const service = new RobotService({
      clock,
      ticked: ticks => watchdog.ticked(ticks),
      say: () => {},
      drive: options =>
        runArm({
          ...options,
          robot,
          link: arm,
          clock,
          goals: endlessGoal,
          policy,
          task: taskNamed('hold'),
          controlRateHz: 50,
          drivenBy: { policyDigest: 'none' },
        }),
    });
    const served = service.serve(new AbortController().signal);
    await receiver.until(() => feeds() >= 3, 'food while it waits');
    t.same(arm.did, [], 'and nobody has touched the arm');

    await service.handle({ do: 'start' });
    t.equal(service.now.motion, 'driving');
    const before = feeds();
    await receiver.until(() => feeds() >= before + 3, 'food while it drives');

    hang = true;
    // A tick that was under way when it was said may still feed.
    await sleep(300);
    const hungAt = { feeds: feeds(), ticks: service.now.ticks, writes: arm.writes };
    await sleep(1_500);
    t.equal(feeds(), hungAt.feeds, 'not once in four intervals');
    t.equal(service.now.ticks, hungAt.ticks);
    t.equal(arm.writes, hungAt.writes);
    t.equal(service.now.motion, 'driving', 'it still thinks that it drives: only the watchdog can tell');
    receiver.close();
    notify.close();
    // Nothing ends a hung loop but systemd.
    void served;
  },
);
