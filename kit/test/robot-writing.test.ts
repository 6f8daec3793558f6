import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadRobot, shippedRobots } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { folderToWrite, rewriteSite } from '../src/robot-writing.js';
import { robotCopy } from './keys/key-folder.js';

const shipped = loadRobot('so101');

t.test('a robot that ships is never written to, one’s own is, and a new folder must be new', async t => {
  const folder = t.testdir({ full: { file: '' }, empty: {} });
  t.throws(() => folderToWrite(shipped, undefined, 'this is of one arm'), {
    code: 'E_SHIPPED_ROBOT',
    message: /so101 ships with the kit, and this is of one arm/,
    hint: /--out FOLDER/,
  });
  const own = loadRobot(robotCopy(folder));
  t.equal(folderToWrite(own, undefined, ''), own.folder);
  t.equal(folderToWrite(shipped, join(folder, 'empty'), ''), join(folder, 'empty'));
  t.equal(folderToWrite(shipped, join(folder, 'new'), ''), join(folder, 'new'));
  t.throws(() => folderToWrite(shipped, join(folder, 'full'), ''), { code: 'E_OUT_EXISTS', exit: 'usage' });
});

t.test('a copy is a whole robot, whose files name their schemas from where they now are', async t => {
  const folder = join(t.testdir({}), 'arm');
  t.equal(
    rewriteSite(shipped, folder, site => Object.assign(site, { revokedKeys: ['68D5695585BA7167'] })),
    undefined,
    'there is no old file',
  );
  const copy = loadRobot(folder);
  t.same(copy.site.revokedKeys, ['68D5695585BA7167']);
  t.equal(copy.specSha256, shipped.specSha256, 'policies of the one run on the other');
  t.same(readdirSync(folder).sort(), readdirSync(shipped.folder).sort());
  for (const name of ['robot', 'site']) {
    const { $schema } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { $schema: string };
    t.equal(resolve(folder, $schema), join(shippedRobots, '..', 'schemas', `${name}.schema.json`));
  }
});

t.test('in place the old file is kept, and what was not said is still not said', async t => {
  const folder = robotCopy(t.testdir({}));
  const path = join(folder, 'site.json');
  const before = readFileSync(path, 'utf8');
  t.equal(
    rewriteSite(loadRobot(folder), folder, () => {}),
    `${path}.bak`,
  );
  t.equal(readFileSync(`${path}.bak`, 'utf8'), before);
  t.same(JSON.parse(readFileSync(path, 'utf8')), JSON.parse(before), 'no default was filled in');
});

t.test('what would not be a site is not written', async t => {
  const folder = robotCopy(t.testdir({}));
  const path = join(folder, 'site.json');
  const before = readFileSync(path, 'utf8');
  const robot = loadRobot(folder);
  t.throws(() => rewriteSite(robot, folder, site => Object.assign(site, { trustedKeys: ['x'] })), {
    code: 'E_FILE_SCHEMA',
    message: /trustedKeys\[0\]/,
  });
  t.equal(readFileSync(path, 'utf8'), before);
  t.notOk(existsSync(`${path}.bak`));
});
