import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicKeyFile, publicKeyLine } from '@sim2servo/models/bundle/minisign-public-key';
import { generateSecretKey } from '@sim2servo/models/bundle/minisign-secret-key';
import { trusting } from '@sim2servo/models/bundle/trust';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { keyIdMeant, publicKeyMeant, writeTrust } from '../../src/keys/robot-trust.js';
import { putKey, robotCopy, useKeyFolder } from './key-folder.js';

const key = generateSecretKey().publicKey;
const line = publicKeyLine(key);

t.test('a key is meant by its name, by a file, or by itself', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const mine = await putKey(folder, 'desk');
  const file = join(folder, '..', 'theirs.pub');
  writeFileSync(file, publicKeyFile(key));
  t.equal(publicKeyMeant('desk').id, mine.id);
  t.equal(publicKeyMeant(file).id, key.id);
  t.equal(publicKeyMeant(line).id, key.id);
  for (const [text, code] of [
    ['lab', 'E_KEY_UNKNOWN'],
    ['', 'E_KEY_UNKNOWN'],
    [line.slice(1), 'E_KEY_UNKNOWN'],
    [join(folder, 'desk.key'), 'E_KEY_FORMAT'],
    [folder, 'E_KEY_READ'],
  ] as const)
    t.throws(() => publicKeyMeant(text), { code, exit: 'usage' }, text);
});

t.test('an id is meant by itself, also as minisign prints it, or by its key', async t => {
  const folder = useKeyFolder(t);
  mkdirSync(folder);
  const mine = await putKey(folder, 'abcdefabcdef');
  t.equal(keyIdMeant('68D5695585BA7167'), '68D5695585BA7167');
  t.equal(keyIdMeant('68d5695585ba7167'), '68D5695585BA7167');
  t.equal(keyIdMeant('8D5695585BA7167'), '08D5695585BA7167', 'minisign leaves out zeros at the front');
  t.equal(keyIdMeant(line), key.id);
  t.equal(keyIdMeant('abcdefabcdef'), mine.id, 'a name goes before an id');
  for (const text of ['68D5695585BA71670', 'desk', '12'])
    t.throws(() => keyIdMeant(text), { code: 'E_KEY_UNKNOWN' }, text);
});

t.test('it is written into site.json, with the old file kept and all else as it was', async t => {
  const robot = robotCopy(t.testdir({}));
  const path = join(robot, 'site.json');
  const before = readFileSync(path, 'utf8');
  const written = writeTrust(robot, undefined, trust => trusting(trust, key));
  t.match(written, { robot: 'so101', folder: robot, changed: true, trustedKeys: [line], backup: `${path}.bak` });
  t.equal(readFileSync(`${path}.bak`, 'utf8'), before);
  t.same(loadRobot(robot).site, { ...loadRobot('so101').site, trustedKeys: [line] });
  const after = readFileSync(path, 'utf8');
  t.match(
    after,
    new RegExp(`\\n  "trustedKeys": \\["${line.replaceAll('+', '\\+')}"\\]`),
    'in one line, as a person would',
  );
  const again = writeTrust(robot, undefined, trust => trusting(trust, key));
  t.equal(again.changed, false);
  t.notOk('backup' in again);
  t.equal(readFileSync(path, 'utf8'), after, 'what is so already is not written');
});
