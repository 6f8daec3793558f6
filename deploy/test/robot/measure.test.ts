import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import type { ServiceMeasure } from '../../src/robot/measure.js';
import { deployShipped, installedRoot, robotProgram } from '../support/installed.js';

const leftovers = () => readdirSync(tmpdir()).filter(name => name.startsWith('sim2servo-')).length;

t.test('the service is started beside, measured, and gone', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  await deployShipped(root);
  const before = leftovers();
  const { status, stderr, stdout } = robotProgram(['measure', '--root', root]);
  t.equal(status, 0, stderr);
  const { firstTickMs, rssBytes }: ServiceMeasure = JSON.parse(stdout);
  t.comment(`first tick after ${firstTickMs.toFixed(0)} ms, ${(rssBytes / 1e6).toFixed(0)} MB`);
  t.ok(firstTickMs > 10, 'a process does not start in less');
  t.ok(rssBytes > 10e6);
  t.ok(leftovers() <= before, 'its socket is gone');
});

t.test('a service that does not start is an error with what it said', async t => {
  const { status, stderr } = robotProgram(['measure', '--root', t.testdir({})]);
  t.equal(status, 1);
  t.match(stderr, /ended at once: error: there is no robot in/);
  t.match(stderr, /E_SERVICE_START/);
});
