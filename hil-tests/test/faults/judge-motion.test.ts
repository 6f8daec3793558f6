import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { astrayRad, blindUs, lastMotionUs, movedRad } from '../../src/faults/judge-motion.js';

/** Two joints, a pose every 2 ms: the first moves at 1 rad/s until `untilMs`, the second stands. */
const trace = (untilMs: number, forMs = 400) =>
  Array.from({ length: forMs / 2 }, (_, i) => ({
    timeUs: 2_000 * i,
    anglesRad: [Math.min(2 * i, untilMs) / 1000, 0.5],
  }));

t.test('the last motion is found to within the span in which a joint counts as still', async t => {
  for (const untilMs of [100, 160, 250]) {
    const lastMs = lastMotionUs(trace(untilMs), [0, 1], 50_000, 380_000) / 1000;
    t.ok(Math.abs(lastMs - untilMs) <= 10, `${lastMs} of ${untilMs} ms`);
  }
});

t.test(
  'nothing moved: the instant from which it was looked at; a joint that nobody holds is not looked at',
  async t => {
    t.equal(lastMotionUs(trace(100), [0, 1], 200_000, 380_000), 200_000);
    t.equal(lastMotionUs(trace(300), [1], 50_000, 380_000), 50_000);
  },
);

t.test('motion after the end of the watch does not count', async t => {
  t.ok(lastMotionUs(trace(300), [0], 50_000, 200_000) <= 200_000);
});

t.test('how far a joint went from where it stood', async t => {
  t.ok(Math.abs(movedRad(trace(300), [0, 1], 100_000) - 0.2) < 1e-9);
  t.ok(Math.abs(movedRad(trace(300), [0, 1], 100_000, 150_000) - 0.05) < 1e-9, 'until then');
  t.equal(movedRad(trace(300), [1], 100_000), 0);
  t.equal(movedRad([], [0], 0), 0);
});

t.test('how far a joint was from everywhere it was told to be', async t => {
  const told = (targets: number[]) => targets.map((target, i) => ({ timeUs: 10_000 * i, targetsRad: [target, 0.5] }));
  t.equal(astrayRad(trace(200), told([0, 0.1, 0.25])), 0, 'it is on its way');
  t.ok(Math.abs(astrayRad(trace(200), told([0, 0.1])) - 0.1) < 1e-9, 'it went 0.1 rad too far');
  t.equal(astrayRad([], told([0])), 0);
});

t.test(
  'a joint may be told to move by what it does in 80 ms at its greatest speed while its sensor stands',
  async t => {
    for (const [robot, limitRad] of [
      ['desk2', 0.32],
      ['so101', 0.24],
      ['koch', 0.24],
    ] as const) {
      const { spec } = loadRobot(robot);
      // Each tick 0.01 rad further: the first is told where the joint stands.
      const told = Array.from({ length: 100 }, (_, i) => ({
        timeUs: 10_000 * i,
        targetsRad: spec.joints.map((_, j) => (j === 1 ? 0.01 * i : 0)),
      }));
      const ticks = Math.round(limitRad / 0.01);
      t.ok(Math.abs(blindUs(spec, told, 0) / 10_000 - (ticks + 0.5)) < 1, robot);
      t.ok(Math.abs(blindUs(spec, told, 200_000) / 10_000 - (20 + ticks + 0.5)) < 1, `${robot}, from the fault on`);
      t.equal(blindUs(spec, told.slice(0, ticks - 2), 0), 10_000 * (ticks - 3), 'it was noticed before');
    }
  },
);
