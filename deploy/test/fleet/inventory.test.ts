import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { readFleet, selected } from '../../src/fleet/inventory.js';

const folder = t.testdir();
let files = 0;

/** @returns the path of an inventory with these robots */
function inventory(robots: object, more: object = {}): string {
  const path = join(folder, `fleet-${files++}.json`);
  writeFileSync(path, JSON.stringify({ format: 'sim2servo/fleet@1', ...more, robots }));
  return path;
}

const four = inventory({
  desk1: { to: 'pi@desk1', groups: ['lab'] },
  desk2: { to: 'mqtts://me:secret@broker.lan/desk2', groups: ['lab', 'left'] },
  hall: { to: 'ssh://hall', groups: ['left'] },
  here: { to: 'store', robot: 'so101' },
});
const names = (path: string, selection = {}) => selected(readFleet(path), selection).map(({ name }) => name);

t.test('robots keep the order of the file, and no password is in what may be printed', async t => {
  const robots = readFleet(four);
  t.same(
    robots.map(({ name, to, groups }) => [name, to, groups]),
    [
      ['desk1', 'pi@desk1', ['lab']],
      ['desk2', 'mqtts://broker.lan/desk2', ['lab', 'left']],
      ['hall', 'ssh://hall', ['left']],
      ['here', join(folder, 'store'), []],
    ],
  );
  t.equal(robots[1]!.flags, '--to mqtts://broker.lan/desk2');
  t.same(robots[1]!.target, { kind: 'mqtt', broker: 'mqtts://me:secret@broker.lan', name: 'desk2' });
  t.same(robots[3]!.target, { kind: 'folder', path: join(folder, 'store') });
});

t.test('files are looked for beside the inventory; nobody is asked for a password', async t => {
  cpSync(loadRobot('so101').folder, join(folder, 'own'), { recursive: true });
  const path = inventory(
    { a: { to: 'pi@a' }, b: { to: 'b', robot: 'own' }, c: { to: 'c', robot: 'so101' } },
    { sshConfig: 'ssh_config', ca: 'certs/ca.pem', cert: '/etc/me.crt', key: 'me.key' },
  );
  const [a, b, c] = readFleet(path).map(({ options }) => options);
  t.match(a, {
    batch: true,
    sshConfig: join(folder, 'ssh_config'),
    ca: join(folder, 'certs/ca.pem'),
    cert: '/etc/me.crt',
    key: join(folder, 'me.key'),
  });
  t.equal(b!.robot, join(folder, 'own'));
  t.equal(c!.robot, 'so101');
  t.same(
    readFleet(path).map(({ flags }) => flags),
    [
      `--to pi@a --ssh-config ${join(folder, 'ssh_config')}`,
      `--to ${join(folder, 'b')} --robot ${join(folder, 'own')}`,
      `--to ${join(folder, 'c')} --robot so101`,
    ],
  );
});

t.test('groups and names say which are meant', async t => {
  t.same(names(four), ['desk1', 'desk2', 'hall', 'here']);
  t.same(names(four, { groups: ['left'] }), ['desk2', 'hall']);
  t.same(names(four, { groups: ['hall', 'lab'].slice(1) }), ['desk1', 'desk2']);
  t.same(names(four, { groups: ['lab', 'left'] }), ['desk1', 'desk2', 'hall'], 'of any of them, each once');
  t.same(names(four, { groups: ['left'], without: ['hall'] }), ['desk2']);
});

t.test('a group or a robot that is not there is named, with those that are', async t => {
  t.throws(() => names(four, { groups: ['lap'] }), {
    code: 'E_FLEET_GROUP',
    message: /'lap'/,
    hint: /lab, left/,
    exit: 'usage',
  });
  t.throws(() => names(four, { without: ['desk9'] }), { code: 'E_FLEET_ROBOT', message: /'desk9'/, exit: 'usage' });
  t.throws(() => names(four, { groups: ['left'], without: ['desk2', 'hall'] }), { code: 'E_FLEET_EMPTY' });
  t.throws(() => names(inventory({ a: { to: 'x' } }), { groups: ['lab'] }), {
    code: 'E_FLEET_GROUP',
    hint: /has no groups/,
  });
});

t.test('a file that is none, or says what can not be, is refused with what is wrong', async t => {
  t.throws(() => readFleet(join(folder, 'nowhere.json')), {
    code: 'E_FLEET_FILE',
    hint: /sim2servo\/fleet@1/,
    exit: 'usage',
  });
  const text = join(folder, 'text.json');
  writeFileSync(text, 'robots:');
  t.throws(() => readFleet(text), { code: 'E_FILE_JSON', exit: 'usage' });
  for (const [robots, where] of [
    [{}, /one robot at least/],
    [{ 'a b': { to: 'x' } }, /a b/],
    [{ '7': { to: 'x' } }, /7/],
    [{ a: {} }, /robots\.a\.to/],
    [{ a: { to: 'x', group: 'lab' } }, /group/],
    [{ a: { to: 'x', groups: ['a,b'] } }, /letters, digits/],
  ] as const)
    t.throws(() => readFleet(inventory(robots)), { code: 'E_FILE_SCHEMA', message: where });
  t.throws(() => readFleet(inventory({ a: { to: 'x' } }, { format: 'sim2servo/fleet@2' })), { code: 'E_FILE_SCHEMA' });
  t.throws(() => readFleet(inventory({ a: { to: 'http://x' } })), { code: 'E_TARGET', message: /robot a: 'http/ });
});

t.test(
  'what can not be meant is refused: a name twice, half a certificate, a robot that is none, and no password is shown',
  async t => {
    const path = join(folder, 'odd.json');
    const written = (text: string) => {
      writeFileSync(path, `{"format": "sim2servo/fleet@1", ${text}}`);
      return () => readFleet(path);
    };
    t.throws(written('"robots": {"a": {"to": "x"}, "a": {"to": "y"}}'), { code: /^E_JSON_/ });
    t.throws(written('"cert": "me.crt", "robots": {"a": {"to": "x"}}'), { message: /cert and key belong together/ });
    t.throws(written('"robots": {"a": {"to": "x", "robot": "nobody"}}'), { code: 'E_ROBOT_UNKNOWN' });
    for (const to of [
      'mqtt://me:secret@broker',
      'mqtt://me:sec/ret@broker/a',
      'ssh://pi:secret@desk',
      'mqtt://me:se%cret@b/a',
    ])
      try {
        written(`"robots": {"a": {"to": "${to}"}}`)();
        t.fail(to);
      } catch (error) {
        t.match(error, { code: 'E_TARGET', exit: 'usage' });
        t.notMatch((error as Error).message, /cret|ret@/);
      }
  },
);

t.test('whether a robot is meant does not depend on which folders are where somebody stands', async t => {
  const before = process.cwd();
  process.chdir(t.testdir({ 'pi@desk': {} }));
  t.teardown(() => process.chdir(before));
  t.equal(readFleet(inventory({ a: { to: 'pi@desk' } }))[0]!.target.kind, 'ssh');
});

t.test('two names for one robot would be one robot deployed to twice', async t => {
  for (const [first, second] of [
    ['pi@desk', 'pi@desk'],
    ['store', './store'],
    ['mqtt://me:one@broker/desk', 'mqtt://broker:1883/desk'],
    ['pi@desk', 'ssh://pi@desk:22'],
  ])
    t.throws(() => readFleet(inventory({ a: { to: first }, b: { to: second } })), {
      code: 'E_FLEET_TWICE',
      message: /^a and b are both at /,
      exit: 'usage',
    });
});
