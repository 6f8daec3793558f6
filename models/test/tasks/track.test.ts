import t from 'tap';
import { Random } from '../../src/random.js';
import { loadRobot } from '../../src/robot-folder.js';
import { isReachable } from '../../src/tasks/reachable-set.js';
import { track } from '../../src/tasks/track.js';
import { desk2, desk2With } from '../arms.js';

const start = Float64Array.of(0.2, -0.1, 0.15);

function at(timeS: number): Float64Array {
  const out = new Float64Array(3);
  track.goalAt!(start, timeS, out);
  return out;
}

t.test('the goal starts where it was drawn and comes back after four seconds', async t => {
  t.same(at(0), start);
  const back = at(4);
  t.ok(Math.hypot(back[0]! - start[0]!, back[1]! - start[1]!, back[2]! - start[2]!) < 1e-12);
});

t.test('it goes round a level circle of 30 mm at 47 mm/s', async t => {
  for (let timeS = 0; timeS < 6; timeS += 0.1) {
    const [x, y, z] = at(timeS) as unknown as [number, number, number];
    t.ok(Math.abs(Math.hypot(x - (start[0]! - 0.03), y - start[1]!) - 0.03) < 1e-12);
    t.equal(z, start[2]);
  }
  const next = at(0.001);
  t.ok(Math.abs(Math.hypot(next[0]! - start[0]!, next[1]! - start[1]!) / 0.001 - (2 * Math.PI * 0.03) / 4) < 1e-4);
});

for (const spec of [desk2, loadRobot('so101').spec])
  t.test(`the whole way of every goal that is drawn can be reached: ${spec.name}`, async t => {
    const random = new Random(5);
    const goal = new Float64Array(3);
    const place = new Float64Array(3);
    for (let i = 0; i < 100; i++) {
      track.sampleGoal(spec, random, goal);
      for (let k = 0; k < 12; k++) {
        track.goalAt!(goal, k / 3, place);
        if (!isReachable(spec, place)) t.fail(`${place} on the way from ${goal}`);
      }
    }
    t.pass();
  });

t.test('an arm too small for a circle is told so', async t => {
  const tiny = desk2With({
    name: 'tiny',
    frames: desk2.frames.map(frame => ({
      ...frame,
      translationM: frame.translationM.map(x => x / 20) as [number, number, number],
    })),
  });
  t.throws(() => track.sampleGoal(tiny, new Random(1), new Float64Array(3)), { code: 'E_TASK_ROBOT', message: /tiny/ });
});
