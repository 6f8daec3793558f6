import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { factsScript, readFacts } from '../../src/provision/target-facts.js';
import { drivingState } from '../support/installed.js';

const facts = (root: string) => spawnSync('sh', ['-c', factsScript(root, undefined)], { encoding: 'utf8' }).stdout;
const least = 'system=Linux\nmachine=aarch64\nuser=pi\nuid=1000\nfreeKb=1000\n';

t.test('what this machine says of itself is read', async t => {
  const found = readFacts(facts(join(t.testdir({}), 'not', 'there', 'yet')));
  t.equal(found.system, spawnSync('uname', ['-s'], { encoding: 'utf8' }).stdout.trim());
  t.equal(found.root, process.getuid?.() === 0);
  t.ok(found.freeBytes > 0, 'of the disk that the folder will lie on');
  t.equal(found.current, undefined);
  t.equal(found.motion, undefined);
});

t.test('what is not said is not there', async t => {
  t.same(readFacts(least), {
    system: 'Linux',
    machine: 'aarch64',
    musl: false,
    user: 'pi',
    root: false,
    systemd: false,
    udev: false,
    freeBytes: 1_024_000,
  });
});

t.test('what a robot with all of it says', async t => {
  const more = `${least}musl=yes\nsystemd=yes\nudev=yes\nnode=v22.1.0\nID_VENDOR_ID=0403\nID_MODEL_ID=6014\nID_SERIAL_SHORT=FT=1\n`;
  t.match(readFacts(more), {
    musl: true,
    systemd: true,
    udev: true,
    node: '22.1.0',
    adapter: { vendor: '0403', product: '6014', serial: 'FT=1' },
  });
});

t.test('an installed runtime is known by its manifest', async t => {
  const manifest = {
    format: 'sim2servo/runtime@1',
    version: '0.1.0',
    platform: 'linux-x64',
    node: '22',
    inference: 'native',
    files: {},
  };
  const root = t.testdir({});
  const release = join(root, 'opt/sim2servo/releases/abc');
  mkdirSync(release, { recursive: true });
  writeFileSync(join(release, 'runtime.json'), JSON.stringify(manifest, null, 1));
  symlinkSync('releases/abc', join(root, 'opt/sim2servo/current'));
  t.same(readFacts(facts(root)).current, { digest: 'abc', manifest });
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
