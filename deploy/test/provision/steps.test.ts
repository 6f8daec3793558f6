import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { prelude, putFile } from '../../src/provision/steps.js';

function sh(root: string, script: string) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `${prelude(root, false)}${script}`], { encoding: 'utf8' });
  return { status, said: stdout.trim(), stderr };
}

t.test('a file is written once, with its folders and its mode; the same again is left alone', async t => {
  const root = t.testdir({});
  const step = putFile('/etc/a/b.conf', "one\n$HOME `date` \\n 'two'\n", { mode: '640' });
  t.same(sh(root, step), { status: 0, said: 'wrote /etc/a/b.conf', stderr: '' });
  const path = join(root, 'etc/a/b.conf');
  t.equal(readFileSync(path, 'utf8'), "one\n$HOME `date` \\n 'two'\n", 'byte by byte: nothing of it is the shell’s');
  t.equal(statSync(path).mode & 0o777, 0o640);
  const { ino } = statSync(path);
  t.equal(sh(root, step).said, '');
  t.equal(statSync(path).ino, ino, 'it is the very same file');
  t.equal(sh(root, putFile('/etc/a/b.conf', 'three')).said, 'wrote /etc/a/b.conf');
  t.equal(readFileSync(path, 'utf8'), 'three\n');
  t.notOk(existsSync(`${path}.new`));
});

t.test('a link that somebody has put where a file is written aside is not followed', async t => {
  const root = t.testdir({ robot: {}, 'theirs.txt': 'theirs' });
  for (const keep of [false, true])
    for (const target of ['theirs.txt', 'not-there-yet']) {
      symlinkSync(join('..', target), join(root, 'robot/site.json.new'));
      t.equal(sh(root, putFile('/robot/site.json', `${target} ${keep}\n`, { keep })).status, 0);
      t.equal(readFileSync(join(root, 'theirs.txt'), 'utf8'), 'theirs');
      t.notOk(existsSync(join(root, 'not-there-yet')));
    }
  t.equal(readFileSync(join(root, 'robot/site.json'), 'utf8'), 'not-there-yet false\n');
});

t.test('what is to be kept is kept, and it is said that it differs', async t => {
  const root = t.testdir({});
  const step = putFile('/site.json', 'ours\n', { keep: true });
  t.equal(sh(root, step).said, 'wrote /site.json');
  t.equal(sh(root, step).said, '');
  writeFileSync(join(root, 'site.json'), 'calibrated there\n');
  t.equal(sh(root, step).said, 'kept /site.json, which differs from yours');
  t.equal(readFileSync(join(root, 'site.json'), 'utf8'), 'calibrated there\n');
  t.notOk(existsSync(join(root, 'site.json.new')));
});

t.test('a root folder with blanks and quotes is one folder', async t => {
  const root = join(t.testdir({}), "it's a root");
  t.equal(sh(root, putFile('/x', 'y\n')).status, 0);
  t.equal(readFileSync(join(root, 'x'), 'utf8'), 'y\n');
});

t.test('a script ends at the first thing that goes wrong', async t => {
  const { status, said } = sh('/', 'false\necho on\n');
  t.not(status, 0);
  t.equal(said, '');
  t.not(sh('/', 'echo "$UNSET_NAME"\n').status, 0);
});

t.test('text that would end its own quotation is refused', async t => {
  for (const text of ['a\nEND-OF-FILE\nrm -rf /\n', 'END-OF-FILE\nrm -rf /\n', 'a\nEND-OF-FILE'])
    t.throws(() => putFile('/x', text), { code: 'E_PROVISION_FILE' });
});
