import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { RobotCheck } from '../../src/robot/check.js';
import { deployShipped, installedRoot, robotProgram } from '../support/installed.js';

function release(folder: string, content: string): string {
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib/a.js'), content);
  const sha256 = createHash('sha256').update('right').digest('hex');
  const files = { 'lib/a.js': { sha256, bytes: 5, executable: false } };
  const manifest = {
    format: 'sim2servo/runtime@1',
    version: '1.2.3',
    platform: 'linux-x64',
    node: '22',
    inference: 'wasm',
    files,
  };
  writeFileSync(join(folder, 'runtime.json'), JSON.stringify(manifest));
  return folder;
}

t.test('a whole runtime and the policy’s own golden vectors, computed here', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const runtime = release(join(t.testdir({}), 'good'), 'right');
  const before: RobotCheck = robotProgram(['check', '--root', root, '--runtime', runtime]).answer();
  t.match(before, {
    runtime: { version: '1.2.3', platform: 'linux-x64', inference: 'wasm', files: 1 },
    node: process.versions.node,
  });
  t.equal(before.policy, undefined, 'nothing was deployed yet');
  const { digest } = await deployShipped(root);
  const { policy } = robotProgram(['check', '--root', root, '--runtime', runtime]).answer() as RobotCheck;
  t.equal(policy?.digest, digest);
  t.ok(policy!.goldenMaxError <= 1e-5, `${policy!.goldenMaxError}`);
  t.ok(policy!.inferUs.count > 0);
});

t.test('how long an inference may take is asked of the policy’s own rate, or said', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  await deployShipped(root);
  const check = (share: string) =>
    robotProgram(['check', '--root', root, '--share', share, '--runtime', release(join(t.testdir({}), 'r'), 'right')]);
  t.match(check('0.0000001').stderr, /E_SELFTEST_LATENCY/);
  t.equal(check('1000').status, 0);
  for (const share of ['0', '-1', 'much']) t.match(check(share).stderr, /E_USAGE/, share);
});

t.test('a runtime that was altered, or is none, fails with what is wrong', async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const altered = robotProgram(['check', '--root', root, '--runtime', release(join(t.testdir({}), 'bad'), 'wrong')]);
  t.equal(altered.status, 1);
  t.match(altered.stderr, /lib\/a\.js is not what the runtime's manifest says[\s\S]*E_RUNTIME_FILE/);
  t.equal(altered.stdout, '');
  t.match(robotProgram(['check', '--root', root, '--runtime', root]).stderr, /E_RUNTIME_MISSING/);
});
