/** The test of power-loss.test.ts: a store that leaves out one sync, any one, is found out by some start. */
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
for (const [i, course] of courses(bundles).entries())
  t.test(`each sync is needed: ${course.name}`, async t => {
    const { syncs, needless } = await trials.needless(await record(course, join(folder, `course-${i}`)));
    t.same(needless, []);
    t.ok(syncs > 0);
    t.comment(`${syncs} syncs`);
  });
