import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = join(fileURLToPath(import.meta.url), '..', '..', '..');

/** A program of the kit under a Node that says it is another one. */
function under(version, script, ...args) {
  const lie = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
  const program = ['--import', `data:text/javascript,${encodeURIComponent(lie)}`, join(root, script), ...args];
  return spawnSync(process.execPath, program, { encoding: 'utf8' });
}

for (const script of ['scripts/start.mjs', 'scripts/test.mjs', 'kit/bin/kit.mjs'])
  t.test(`${script} under an old Node says which one is needed, and does nothing`, async t => {
    for (const version of ['18.20.4', '20.11.1']) {
      const { status, stderr, stdout } = under(version, script);
      t.equal(status, 2);
      t.equal(stdout, '');
      t.match(stderr, /^sim2servo needs Node >=20\.12/);
      t.match(stderr, new RegExp(`this is ${version}`));
    }
  });

t.test('a Node that is new enough is let through', async t => {
  const { status, stdout } = under('24.0.0', 'kit/bin/kit.mjs', '--version');
  t.equal(status, 0);
  t.equal(stdout, '0.1.0\n');
});

t.test('what was compiled from a source that is gone does not stay', async t => {
  const orphan = join(root, 'bench', 'dist', 'src', 'gone.test.js');
  writeFileSync(orphan, '');
  t.equal(spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')]).status, 0);
  t.notOk(existsSync(orphan));
  t.ok(existsSync(join(root, 'bench', 'dist', 'src', 'measure.js')), 'the others do');
});
