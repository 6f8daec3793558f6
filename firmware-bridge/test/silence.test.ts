import t from 'tap';
import { holdFailed, type SilentBus, whenSilent } from '../src/silence.js';

t.test(
  'what an arm does when nobody speaks is said for each kind of bus with its own time, and of no servo without torque',
  async t => {
    const buses: readonly [SilentBus, RegExp][] = [
      [{ kind: 'kitlink', deadlineMs: 70 }, /^the board holds the arm by itself 70 ms after .* reset .* limp$/],
      [{ kind: 'feetech', leadMs: 80 }, /no deadline: each one with torque goes on to its last goal, at most 80 ms/],
      [{ kind: 'dynamixel', deadlineMs: 120 }, /^each servo with torque stops by itself 120 ms after/],
      [{ kind: 'mqtt', deadlineMs: 90 }, /^the bridge tells its bus to hold 90 ms after/],
    ];
    for (const [bus, words] of buses) t.match(whenSilent(bus), words, bus.kind);
  },
);

t.test('of a hold that failed it is said why, and what the bus does instead', async t => {
  const bus = { kind: 'dynamixel', deadlineMs: 100 } as const;
  t.equal(
    holdFailed('the port has gone', bus),
    `the hold failed: the port has gone; when nobody speaks: ${whenSilent(bus)}`,
  );
});
