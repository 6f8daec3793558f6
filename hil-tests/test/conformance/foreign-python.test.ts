import { chmodSync } from 'node:fs';
import t, { type Test } from 'tap';
import { lacks } from '../support/foreign-python.js';

const onPosix = { skip: process.platform === 'win32' && 'what stands in for a Python is a shell script' };

/** What ends as Python does after such a complaint, whatever it is to import. */
function complaining(t: Test, complaint: string): string {
  const path = `${t.testdir({ python: `#!/bin/sh\necho 'Traceback:\n${complaint}' >&2\nexit 1\n` })}/python`;
  chmodSync(path, 0o755);
  return path;
}

t.test('a Python that does not run is an error, not a client less', async t => {
  t.throws(() => lacks('scservo_sdk', '/nowhere/python3'), { message: /KIT_PYTHON, \/nowhere\/python3, does not run/ });
});

t.test('a module that nobody installed is left out, and named', onPosix, async t => {
  const python = complaining(t, 'ModuleNotFoundError: No module named scservo_sdk');
  t.match(lacks('scservo_sdk', python), /can't import scservo_sdk: ModuleNotFoundError: No module/);
});

t.test('a module that is there and does not load is an error', onPosix, async t => {
  const python = complaining(t, 'ImportError: libtorch.so: cannot open shared object file');
  t.throws(() => lacks('lerobot.motors.feetech', python), { message: /lerobot.motors.feetech: ImportError: libtorch/ });
});
