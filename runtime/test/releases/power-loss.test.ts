/**
 * The power fails, at every moment and with every loss that a file system permits (test/support/lost-power.ts), and the robot starts: with the
 * old policy or the new one, golden vectors pass, no half release, nothing left behind, and the next deployment succeeds.
 */
import { join } from 'node:path';
import t from 'tap';
import { robot } from '../support/arm-fixture.js';
import { courses } from '../support/deployment-courses.js';
import { LostPowerTrials, type Recording, record } from '../support/lost-power-trials.js';
import { quickFolder } from '../support/quick-folder.js';
import { randomPolicy, writeSmallBundle } from '../support/small-bundle.js';
import { Starts } from '../support/store-after-restart.js';

const folder = quickFolder(t);

const bundles = [1, 2, 3, 4, 5].map(seed => join(folder, `bundle-${seed}`));
// At a rate that leaves the self-test its time however loaded the machine is.
for (const [i, path] of bundles.entries())
  writeSmallBundle(path, robot, randomPolicy(robot, i + 1), { controlRateHz: 5 });
const next = bundles.pop()!;
const starts = new Starts(join(folder, 'scratch'), next);
const trials = new LostPowerTrials(starts);

let states = 0;
let syncs = 0;
const recordings: Recording[] = [];

for (const [i, course] of courses(bundles).entries())
  t.test(course.name, async t => {
    const recording = await record(course, join(folder, `course-${i}`));
    recordings.push(recording);
    const found = await trials.run(recording);
    t.same(found.problems, []);
    states += found.states;
  });

t.test('each sync is needed: where one is left out a start shows it', async t => {
  for (const recording of recordings) {
    const found = await trials.needless(recording);
    t.same(found.needless, []);
    syncs += found.syncs;
  }
});

t.teardown(() => {
  const { disks, stores } = starts.counts;
  t.comment(
    `${states} states, ${disks} different disks started, ${stores} stores came of that; ${syncs} syncs left out`,
  );
});
