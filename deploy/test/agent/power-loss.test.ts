/**
 * The power fails while a robot receives a policy, at every moment and with every loss that a file system permits: it starts with the old policy or
 * the new one, and the same deployment succeeds when it is made again, whatever came of the files that were on their way.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { sha256 } from '@sim2servo/models/digest';
import type { Disk } from '@sim2servo/runtime/releases/disk';
import { writeBundles } from '@sim2servo/runtime/test-support/deployment-courses';
import { deployGood } from '@sim2servo/runtime/test-support/good-policy';
import { type Course, LostPowerTrials, record, type Step } from '@sim2servo/runtime/test-support/lost-power-trials';
import { quickFolder } from '@sim2servo/runtime/test-support/quick-folder';
import { unsyncedDisk } from '@sim2servo/runtime/test-support/recording-disk';
import { Starts } from '@sim2servo/runtime/test-support/store-after-restart';
import t from 'tap';
import { deployBundle } from '../../src/targets/deploy-bundle.js';
import { connectFolder } from '../../src/targets/folder-target.js';

const folder = quickFolder(t);
const [next, first, second] = writeBundles(folder, 3) as [string, string, string];

/** @param apart as over ssh; else as over MQTT, where one agent receives for everybody */
async function deploy(store: string, bundle: string, disk: Disk, apart = true): Promise<string> {
  const connection = connectFolder({ store, disk, apart });
  try {
    await deployBundle(connection, bundle, { by: 'ann' });
  } finally {
    await connection.close();
  }
  return loadBundle(bundle).digest;
}

const courses: (Omit<Course, 'steps'> & { readonly bundle: string; readonly apart: boolean })[] = [
  {
    name: 'the first policy, over ssh',
    bundle: first,
    apart: true,
    prepare: () => {},
  },
  {
    name: 'a second one, over MQTT, of which some had come before',
    bundle: second,
    apart: false,
    async prepare(store) {
      await deployGood(first, store);
      const model = readFileSync(join(second, 'policy.onnx'));
      mkdirSync(join(store, 'incoming'), { recursive: true });
      writeFileSync(join(store, 'incoming', `${sha256(model)}.part`), model.subarray(0, model.length >> 1));
    },
  },
];

for (const [i, course] of courses.entries())
  t.test(course.name, async t => {
    const starts = new Starts(join(folder, 'scratch'), async store => {
      await deploy(store, course.bundle, unsyncedDisk, course.apart);
      const left = readdirSync(join(store, 'incoming'));
      if (left.length > 0) throw new Error(`left behind: incoming/${left}`);
      return deploy(store, next, unsyncedDisk);
    });
    const run: Step['run'] = ({ folder: store, disk }) => deploy(store, course.bundle, disk, course.apart);
    // It is on trial, and drives only once the link names it.
    const halfway: Step['halfway'] = [
      (before, after) => ({
        ...after,
        current: before.current,
        trial: { ...(after.trial as object), phase: 'shadow' },
      }),
    ];
    const recording = await record(
      { ...course, steps: [{ name: 'deploy', run, halfway }] },
      join(folder, `course-${i}`),
    );
    const found = await new LostPowerTrials(starts).run(recording);
    t.same(found.problems, []);
    t.comment(`${found.states} states, ${starts.counts.disks} different disks started`);
    t.ok(starts.counts.disks > 100);
  });
