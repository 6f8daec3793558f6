import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { factsScript, readFacts } from '../../src/provision/target-facts.js';
import { drivingState } from '../support/installed.js';
import { manifestOf } from '../support/runtime-manifest.js';

const facts = (root: string) => spawnSync('sh', ['-c', factsScript(root, undefined)], { encoding: 'utf8' }).stdout;
const least = 'system=Linux\nmachine=aarch64\nuser=pi\nuid=1000\nfreeKb=1000\n';

t.test('what this machine says of itself is read', async t => {
  const found = readFacts(facts(join(t.testdir({}), 'not', 'there', 'yet')));
  t.equal(found.system, spawnSync('uname', ['-s'], { encoding: 'utf8' }).stdout.trim());
  t.equal(found.root, process.getuid?.() === 0);
  t.ok(found.freeBytes > 0, 'of the disk that the folder will lie on');
  t.equal(found.current, undefined);
  t.equal(found.motion, undefined);
  const { header } = process.report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  t.equal(found.bits, 64, 'as Node’s own builds are');
  t.equal(found.musl, header.glibcVersionRuntime === undefined, 'by what runs here, whatever else is installed');
});

t.test('what is not said is not there', async t => {
  t.same(readFacts(least), {
    system: 'Linux',
    machine: 'aarch64',
    musl: false,
    bits: 64,
    user: 'pi',
    root: false,
    systemd: false,
    udev: false,
    robot: false,
    freeBytes: 1_024_000,
  });
});

t.test('what a robot with all of it says', async t => {
  const more = `${least}musl=yes\nbits=32\nsystemd=yes\nudev=yes\nnode=v22.1.0\nID_VENDOR_ID=0403\nID_MODEL_ID=6014\nID_SERIAL_SHORT=FT=1\n`;
  t.match(readFacts(more), {
    musl: true,
    bits: 32,
    systemd: true,
    udev: true,
    node: '22.1.0',
    adapter: { vendor: '0403', product: '6014', serial: 'FT=1' },
  });
});

t.test('an installed runtime is known by what lies in it, and what is damaged of it is named', async t => {
  const root = t.testdir({});
  const files = { 'bin/node': 'node', 'lib/a.js': 'a', 'lib/b.js': 'b' };
  const manifest = JSON.stringify(manifestOf(files), null, 1);
  const digest = sha256(manifest);
  const release = join(root, 'opt/sim2servo/releases', digest);
  for (const folder of ['bin', 'lib']) mkdirSync(join(release, folder), { recursive: true });
  for (const [path, text] of Object.entries({ ...files, 'runtime.json': manifest, 'runtime.json.minisig': 'signed' }))
    writeFileSync(join(release, path), text);
  chmodSync(join(release, 'bin/node'), 0o755);
  symlinkSync(`releases/${digest}`, join(root, 'opt/sim2servo/current'));
  const there = () => readFacts(facts(root)).current!;
  t.match(there(), { digest, damaged: [] });
  t.same(there().files.get('bin/node'), { sha256: sha256('node'), executable: true });
  t.equal(there().files.size, 5);

  writeFileSync(join(release, 'lib/a.js'), 'A');
  t.same(there().damaged, ['lib/a.js'], 'altered');
  rmSync(join(release, 'lib/a.js'));
  t.same(there().damaged, ['lib/a.js'], 'missing');
  symlinkSync('b.js', join(release, 'lib/a.js'));
  t.same(there().damaged, ['lib/a.js'], 'a link');
  rmSync(join(release, 'lib/a.js'));
  writeFileSync(join(release, 'lib/a.js'), 'a');
  writeFileSync(join(release, 'lib/more.js'), 'a');
  t.same(there().damaged, ['lib/more.js'], 'foreign');
  rmSync(join(release, 'lib/more.js'));
  chmodSync(join(release, 'bin/node'), 0o644);
  t.same(there().damaged, ['bin/node'], 'not executable any more');
  writeFileSync(join(release, 'runtime.json'), '{');
  t.same(there().damaged, ['runtime.json'], 'what it ought to hold is not known then');
});

t.test('a service is asked how it is; one that does not answer drives nothing', async t => {
  // The path of a unix socket is short.
  const root = spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim();
  for (const folder of ['run/sim2servo', 'usr/local/bin']) mkdirSync(join(root, folder), { recursive: true });
  const server = createServer().listen(join(root, 'run/sim2servo/control.sock'));
  const program = join(root, 'usr/local/bin/sim2servo-robot');
  for (const [said, motion] of [
    [JSON.stringify({ answer: drivingState }), 'driving'],
    [JSON.stringify({ error: { code: 'E_SERVICE_ABSENT', message: 'no', hint: 'no', exit: 'noDevice' } }), undefined],
    ['', undefined],
  ] as const) {
    writeFileSync(program, `#!/bin/sh\necho '${said}'\n`);
    chmodSync(program, 0o755);
    t.equal(readFacts(facts(root)).motion, motion, said.slice(0, 20));
  }
  server.close();
});

t.test('a login shell that talks, or says nothing, is an error and no guess', async t => {
  t.throws(() => readFacts(''), { code: 'E_TARGET_FACTS' });
  t.throws(() => readFacts('Welcome to arm!\n'), { code: 'E_TARGET_FACTS', hint: /login shell/ });
});
