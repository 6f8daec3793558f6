import { firmwareImage } from '@sim2servo/firmware-bridge/firmware-image';
import { pulseOfAngle } from '@sim2servo/models/hobby-servo';
import { loadRobot, servosInOrder } from '@sim2servo/models/robot-folder';
import { siteOn } from '@sim2servo/models/site';
import t from 'tap';
import { ArmOnBoard } from '../../src/rig/arm-on-board.js';
import { bootloaderUs } from '../../src/rig/avr-board.js';
import { FaultBench } from '../../src/scenarios/fault-bench.js';

const robot = loadRobot('desk2');

t.test('a board that nobody has spoken to is silent and gives no pulses', async t => {
  const device = await ArmOnBoard.create({ robot, imagePath: firmwareImage });
  t.equal(device.runUntil(500_000).length, 0);
  t.equal(device.pulses.length, 0);
  device.arm.dispose();
});

t.test('after arming the pulses are those of the present position, 20 ms apart, to half a microsecond', async t => {
  const bench = await FaultBench.create(robot);
  const motion = await bench.link.open();
  await motion.read(bench.state, 100_000);
  await motion.arm();
  await bench.idle(50_000);
  bench.device.clearRecords();
  await bench.idle(100_000);
  const servos = servosInOrder(robot.spec, siteOn(robot.site, 'kitlink'));
  for (const [j, servo] of servos.entries()) {
    const pulses = bench.device.pulses.filter(pulse => pulse.channel === servo.id);
    t.ok(pulses.length >= 4);
    for (const [i, pulse] of pulses.entries()) {
      t.ok(Math.abs(pulse.widthUs - pulseOfAngle(servo, bench.state.position[j]!)) < 30, `${pulse.widthUs} µs`);
      if (i > 0) t.ok(Math.abs(pulse.riseUs - pulses[i - 1]!.riseUs - 20_000) < 1e-6);
    }
  }
  bench.dispose();
});

t.test('no pulse changes faster than the speed limit of CONFIG, whatever is asked for', async t => {
  const bench = await FaultBench.create(robot);
  const motion = await bench.link.open();
  await motion.read(bench.state, 100_000);
  await motion.arm();
  bench.device.clearRecords();
  const far = Float64Array.of(1.4, 2.4);
  for (let i = 0; i < 30; i++) {
    await motion.read(bench.state, 40_000);
    motion.write(far);
  }
  for (const [j, servo] of servosInOrder(robot.spec, siteOn(robot.site, 'kitlink')).entries()) {
    const widths = bench.device.pulses.filter(pulse => pulse.channel === servo.id).map(pulse => pulse.widthUs);
    const usPerRad = Math.abs((servo.pulseUs[1] - servo.pulseUs[0]) / (servo.angleRad[1] - servo.angleRad[0]));
    const limit = robot.spec.joints[j]!.maxVelocity * 1.1 * 0.02 * usPerRad + 1;
    const steps = widths.slice(1).map((width, i) => Math.abs(width - widths[i]!));
    t.ok(Math.max(...steps) <= limit, `${Math.max(...steps)} µs a period, ${limit.toFixed(1)} are let through`);
    t.ok(Math.max(...steps) > limit / 2, 'and the limit was met');
  }
  bench.dispose();
});

t.test('opening the port resets the board, and the bootloader swallows what comes too early', async t => {
  const bench = await FaultBench.create(robot);
  await bench.drive(5);
  const resets = bench.device.resets;
  bench.openPort();
  t.equal(bench.device.resets, resets + 1);
  bench.device.clearRecords();
  bench.inject(bench.written[0]!);
  await bench.idle(bootloaderUs - 1000);
  t.equal(bench.device.pulses.length, 0, 'no pulse while it boots');
  await bench.idle(200_000);
  t.equal(bench.device.pulses.length, 0, 'and none afterwards: it is limp');
  bench.dispose();
});

t.test('the arm follows its pulses, and its joints come back through the converter', async t => {
  const bench = await FaultBench.create(robot);
  const motion = await bench.link.open();
  await motion.read(bench.state, 100_000);
  await motion.arm();
  const target = Float64Array.of(0.5, 1.6);
  for (let i = 0; i < 75; i++) {
    await motion.read(bench.state, 40_000);
    motion.write(target);
  }
  for (let j = 0; j < 2; j++) {
    t.ok(Math.abs(bench.device.arm.angle(j) - target[j]!) < 0.02, `joint ${j} stands at ${bench.device.arm.angle(j)}`);
    t.ok(Math.abs(bench.state.position[j]! - bench.device.arm.angle(j)) < 0.01, 'measured as it is');
  }
  bench.dispose();
});
