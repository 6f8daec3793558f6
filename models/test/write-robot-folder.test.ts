import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadRobot, shippedRobots } from '../src/robot-folder.js';
import { checkRobotTarget, writeRobotFolder } from '../src/write-robot-folder.js';

const names = ['robot.json', 'site.json', 'scene.xml'];
const desk2 = new Map(names.map(name => [name, readFileSync(join(shippedRobots, 'desk2', name), 'utf8')]));
const fine = async () => {};

t.test('the folder is there with its files when the promise is kept, and was looked at before', async t => {
  const folder = join(t.testdir(), 'deep', 'own');
  let seen = '';
  const robot = await writeRobotFolder(folder, desk2, async draft => {
    seen = draft.folder;
    t.same(readdirSync(join(folder, '..')).length, 1, 'a draft, and nothing under its name');
  });
  t.equal(robot.folder, folder);
  t.not(seen, folder);
  t.same(loadRobot(folder).spec, loadRobot('desk2').spec);
  t.same(readdirSync(folder).sort(), [...names].sort());
  t.same(readdirSync(join(folder, '..')), ['own']);
});

t.test('what is refused on the way leaves nothing', async t => {
  const room = t.testdir();
  const folder = join(room, 'own');
  const broken = new Map([...desk2, ['robot.json', '{}']]);
  await t.rejects(writeRobotFolder(folder, broken, fine), { code: 'E_FILE_SCHEMA' });
  const refuse = () => Promise.reject(new Error('not so'));
  await t.rejects(writeRobotFolder(folder, desk2, refuse), { code: 'E_ROBOT_WRITE', message: /own: not so$/ });
  t.same(readdirSync(room), []);
});

t.test('an existing folder is never touched, not even an empty one, not even one that came later', async t => {
  const room = t.testdir({ empty: {} });
  await t.rejects(writeRobotFolder(join(room, 'empty'), desk2, fine), { code: 'E_ROBOT_TARGET', exit: 'usage' });
  const folder = join(room, 'own');
  const late = async () => mkdirSync(folder);
  await t.rejects(writeRobotFolder(folder, desk2, late as () => Promise<void>), { code: 'E_ROBOT_TARGET' });
  t.same(readdirSync(room).sort(), ['empty', 'own']);
  t.same(readdirSync(folder), []);
  t.throws(() => checkRobotTarget(folder), { code: 'E_ROBOT_TARGET' });
  t.end();
});
