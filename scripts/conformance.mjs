/**
 * `npm run conformance`: programs of others, in Python, on what the kit writes and emulates. KIT_PYTHON names their Python; python3 where it
 * is not set. What that Python has not is left out; where it has none of them, this fails.
 */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { root } from './setup.mjs';

const suites = [
  'hil-tests/dist/test/conformance/feetech.test.js',
  'hil-tests/dist/test/conformance/dynamixel.test.js',
  'kit/dist/test/conformance/lerobot-dataset.test.js',
];

/** What Python imports, and what installs it. */
const clients = {
  lerobot: 'lerobot[feetech,dynamixel]',
  scservo_sdk: 'feetech-servo-sdk',
  dynamixel_sdk: 'dynamixel-sdk',
};
const search = 'import sys; from importlib.util import find_spec; print(*filter(find_spec, sys.argv[1:]))';

function fail(message) {
  process.stderr.write(
    `${message}: no foreign client can be run\n  → python3 -m pip install '${Object.values(clients).join("' '")}', or name a Python that has one of them with KIT_PYTHON\n`,
  );
  process.exit(1);
}

const named = process.env.KIT_PYTHON ?? 'python3';
// Found from here, and run elsewhere: the folders of this repository would pass for modules.
const python = named === basename(named) ? named : resolve(named);
const { status, stdout, stderr, error } = spawnSync(python, ['-c', search, ...Object.keys(clients)], {
  cwd: tmpdir(),
  encoding: 'utf8',
});
if (status !== 0) fail(`${python} does not run: ${error?.message ?? stderr.trim()}`);
if (stdout.trim() === '') fail(`${python} has none of ${Object.keys(clients).join(', ')}`);

const test = join(root, 'scripts', 'test.mjs');
const run = spawnSync(process.execPath, [test, '--jobs=1', ...suites, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, KIT_PYTHON: python },
});
process.exit(run.status ?? 1);
