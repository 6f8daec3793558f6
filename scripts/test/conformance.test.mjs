import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const script = fileURLToPath(new URL('../conformance.mjs', import.meta.url));
const onPosix = { skip: process.platform === 'win32' && 'what stands in for a Python is a shell script' };

/** `npm run conformance` in this environment. */
function conformance(env) {
  return spawnSync(process.execPath, [script], { encoding: 'utf8', env });
}

/** A folder with a python3 that has no module. */
function bare(t) {
  const folder = t.testdir({ python3: '#!/bin/sh\necho\n' });
  chmodSync(join(folder, 'python3'), 0o755);
  return folder;
}

const advice = /pip install 'lerobot\[feetech,dynamixel\]' 'feetech-servo-sdk' 'dynamixel-sdk', or name .* KIT_PYTHON/;

t.test('a KIT_PYTHON that does not run is an error that says what to install', async t => {
  const { status, stderr, stdout } = conformance({ KIT_PYTHON: '/nowhere/python3' });
  t.equal(status, 1);
  t.equal(stdout, '', 'no test was run');
  t.match(stderr, /^\/nowhere\/python3 does not run: .*ENOENT/);
  t.match(stderr, advice);
});

t.test('a Python without any foreign client is an error, too', onPosix, async t => {
  const python = join(bare(t), 'python3');
  const { status, stderr } = conformance({ KIT_PYTHON: python });
  t.equal(status, 1);
  t.match(stderr, `${python} has none of lerobot, scservo_sdk, dynamixel_sdk: no foreign client can be run`);
  t.match(stderr, advice);
});

t.test('where KIT_PYTHON is not set, python3 is looked for', onPosix, async t => {
  const { status, stderr } = conformance({ PATH: bare(t) });
  t.equal(status, 1);
  t.match(stderr, /^python3 has none of/);
});
