import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { ArmOnBoard } from '../../src/rig/arm-on-board.js';
import { bootloaderUs } from '../../src/rig/avr-board.js';
import { freeBus } from '../../src/rig/bus/create-bus.js';
import { Lockstep } from '../../src/rig/lockstep.js';
import { openRig } from '../../src/rig/open-rig.js';
import { RigHost } from '../../src/scenarios/rig-checks.js';

const robot = loadRobot('desk2');

t.test('time runs while somebody waits, and not a moment longer', async t => {
  const device = await ArmOnBoard.create({ robot, imagePath: firmwareImage });
  const clock = new Lockstep(device);
  t.equal(clock.nowUs(), 0);
  await clock.waitUntil(12_345);
  t.equal(clock.nowUs(), 12_345);
  await clock.waitUntil(5_000);
  t.equal(clock.nowUs(), 12_345, 'what is over is not waited for');
  device.arm.dispose();
});

t.test('whoever is woken finds the instant at which that happened', async t => {
  const device = await ArmOnBoard.create({ robot, imagePath: firmwareImage });
  const clock = new Lockstep(device);
  await clock.waitUntil(1_000, Promise.resolve());
  t.equal(clock.nowUs(), 0, 'woken before it began');
  const rejected = Promise.reject(new Error('gone'));
  await clock.waitUntil(1_000, rejected);
  t.equal(clock.nowUs(), 0, 'an error wakes, too');
  await clock.waitUntil(1_000, new Promise(() => {}));
  t.equal(clock.nowUs(), 1_000);
  device.arm.dispose();
});

t.test('opening the port resets the board, and whoever had it before is told', async t => {
  const device = await ArmOnBoard.create({ robot, imagePath: firmwareImage });
  const clock = new Lockstep(device);
  const ends: (string | undefined)[] = [];
  const first = clock.open();
  first.onClose(reason => ends.push(reason?.message));
  t.equal(device.resets, 1);
  const second = clock.open();
  second.onClose(reason => ends.push(reason?.message));
  t.equal(device.resets, 2);
  clock.unplug();
  await second.close();
  t.same(ends, ['the port was opened again', 'the port has gone'], 'each end is told once');
  device.arm.dispose();
});

t.test('the same host sees the same samples at the same times', async t => {
  const run = async () => {
    const rig = await openRig('avr-lockstep', robot);
    const seen: number[] = [];
    await RigHost.on(rig, robot, async host => {
      const home = await host.arm();
      await host.moveTo(host.swing(home), 5);
      for (let i = 0; i < 10; i++) {
        await host.read();
        seen.push(rig.clock.nowUs(), ...host.state.position);
      }
    });
    await rig.close();
    return seen;
  };
  const first = await run();
  t.ok(first[0]! > bootloaderUs);
  t.strictSame(await run(), first);
});

t.test('two buses run in one time; of several that wait none finds itself beyond its own instant', async t => {
  const buses = [freeBus('feetech', 1, 1_000_000), freeBus('feetech', 1, 1_000_000)];
  const clock = new Lockstep(...buses);
  const woke: [string, number][] = [];
  const wait = async (name: string, untilUs: number) => {
    await clock.waitUntil(untilUs);
    woke.push([name, clock.nowUs()]);
  };
  await Promise.all([wait('late', 90_000), wait('early', 20_050), wait('between', 20_300)]);
  t.same(woke, [
    ['early', 20_050],
    ['between', 20_300],
    ['late', 90_000],
  ]);
  t.same(
    buses.map(bus => bus.nowUs),
    [90_000, 90_000],
  );
  const heard: number[][] = [[], []];
  const streams = [clock.open(0), clock.open(1)];
  for (const [i, stream] of streams.entries()) stream.onData(chunk => heard[i]!.push(...chunk));
  streams[1]!.write(Uint8Array.of(0xff, 0xff, 1, 2, 1, 0xfb));
  await clock.waitUntil(95_000);
  t.same(heard, [[], [0xff, 0xff, 1, 2, 0, 0xfc]], 'each port is its own: a ping and its answer');
  const ends: number[] = [];
  for (const [i, stream] of streams.entries()) stream.onClose(() => ends.push(i));
  clock.unplug(1);
  t.same(ends, [1]);
});
