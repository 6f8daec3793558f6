/**
 * The power fails, at every moment and with every loss that a file system permits (test/support/lost-power.ts), and the robot starts: with the
 * old policy or the new one, golden vectors pass, no half release, nothing left behind, and the next deployment succeeds. It may fail once
 * more during that start.
 */
import { join } from 'node:path';
import t from 'tap';
import { courses, writeBundles } from '../support/deployment-courses.js';
import { LostPowerTrials, record } from '../support/lost-power-trials.js';
import { quickFolder } from '../support/quick-folder.js';
import { deployingHere, Starts } from '../support/store-after-restart.js';

const folder = quickFolder(t);
const [next = '', ...bundles] = writeBundles(folder, 4);
const starts = new Starts(join(folder, 'scratch'), deployingHere(next));
const trials = new LostPowerTrials(starts);
let states = 0;

for (const [i, course] of courses(bundles).entries())
  t.test(course.name, async t => {
    const found = await trials.run(await record(course, join(folder, `course-${i}`)));
    t.same(found.problems, []);
    states += found.states;
  });

t.test('that many there were', async t => {
  const { disks, stores } = starts.counts;
  t.comment(`${states} states, ${disks} different disks started, and ${stores} different stores came of that`);
  t.ok(disks > 2000);
});
