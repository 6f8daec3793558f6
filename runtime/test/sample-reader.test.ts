import { createServoState } from '@sim2servo/firmware-bridge/servo-link';
import t from 'tap';
import { PeriodLock } from '../src/period-lock.js';
import { SampleReader } from '../src/sample-reader.js';
import { robot } from './support/arm-fixture.js';
import { VirtualBoard, VirtualClock } from './support/virtual-board.js';

async function bench() {
  const clock = new VirtualClock();
  const board = new VirtualBoard(clock, { position: [0.3, 1.4] });
  const servo = createServoState(2);
  await board.read(servo, 100_000);
  const lock = new PeriodLock(50, servo.periodUs, servo.sampledAtUs, clock.nowUs());
  return { clock, board, servo, lock, reader: new SampleReader(robot.spec, board, clock, servo) };
}

t.test('the sample that is due is waited for, not the one before it', async t => {
  const { clock, servo, lock, reader } = await bench();
  const deadline = lock.next(clock.nowUs(), 4);
  // Away for so long that an older sample lies unread.
  await clock.waitUntil(deadline - 1_000);
  t.ok(await reader.read(deadline, lock));
  t.ok(Math.abs(clock.nowUs() - deadline) < 1);
  t.ok(clock.nowUs() - servo.sampledAtUs < 2_000);
});

t.test('a sample that does not come is given up half a period after it was due', async t => {
  const { clock, board, lock, reader } = await bench();
  board.loses = () => true;
  const deadline = lock.next(clock.nowUs());
  t.notOk(await reader.read(deadline, lock));
  t.equal(clock.nowUs(), deadline + 10_000);
});

t.test('a position that is no number is no sample, and is named', async t => {
  const { clock, board, lock, reader } = await bench();
  board.spoil = state => {
    state.position[1] = Number.NaN;
  };
  t.notOk(await reader.read(lock.next(clock.nowUs()), lock));
  t.equal(reader.bad, "the measured position of joint 'elbow' is NaN");
  board.spoil = () => {};
  t.ok(await reader.read(lock.next(clock.nowUs()), lock));
  t.equal(reader.bad, '');
});

t.test('what the device says of itself counts once it was seen armed, or should have been', async t => {
  const { clock, board, lock, reader } = await bench();
  const next = () => reader.read(lock.next(clock.nowUs()), lock);
  for (let i = 0; i < 3; i++) {
    await next();
    t.equal(reader.deviceFault(), '', 'a sample from before the arming');
  }
  await next();
  t.match(reader.deviceFault(), /limp by itself/);
  await board.arm();
  await next();
  t.equal(reader.deviceFault(), '');
  board.device = 'limp';
  board.reason = "servo 2 of joint 'elbow' was reset";
  await next();
  t.equal(reader.deviceFault(), "the device went limp by itself: servo 2 of joint 'elbow' was reset");
  board.reason = '';
  board.device = 'held';
  await next();
  t.equal(reader.deviceFault(), 'the device has gone to hold');
  board.device = 'latched';
  board.reason = 'no motion for 60 ms';
  await next();
  t.equal(reader.deviceFault(), 'the device has latched: no motion for 60 ms');
});
