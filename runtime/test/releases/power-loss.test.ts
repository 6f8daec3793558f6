/**
 * The power fails, at every moment and with every loss that a file system permits (test/support/lost-power.ts), and the robot starts: with the
 * old policy or the new one, golden vectors pass, no half release, nothing left behind, and the next deployment succeeds.
 */
import { join } from 'node:path';
import t from 'tap';
import { robot } from '../support/arm-fixture.js';
import { courses } from '../support/deployment-courses.js';
import { LostPowerTrials, type Recording, record } from '../support/lost-power-trials.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { Starts } from '../support/store-after-restart.js';

const folder = t.testdir();
const bundles = [1, 2, 3, 4, 5].map(seed => join(folder, `bundle-${seed}`));
for (const [i, path] of bundles.entries()) writeSmallBundle(path, robot, randomPolicy(robot, i + 1));
const next = bundles.pop()!;

for (const [i, course] of courses(bundles).entries())
  t.test(course.name, async t => {
    const recording: Recording = await record(course, join(folder, `course-${i}`));
    const starts = new Starts(join(folder, 'scratch'), next);
    const trials = new LostPowerTrials(starts);
    const from = performance.now();
    const { states, problems } = await trials.run(recording);
    t.same(problems, []);
    t.comment(
      `${recording.operations.length} operations, ${states} states, ${starts.counts.disks} different ones started, ${starts.counts.stores} stores came of them, ${((performance.now() - from) / 1000).toFixed(1)} s`,
    );
  });
