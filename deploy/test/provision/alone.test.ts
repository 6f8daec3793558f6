import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t, { type Test } from 'tap';
import { alone } from '../../src/provision/alone.js';
import { installSteps } from '../../src/provision/install-steps.js';
import type { RuntimePackage } from '../../src/provision/runtime-package.js';
import { prelude } from '../../src/provision/steps.js';
import { readFacts } from '../../src/provision/target-facts.js';
import { localShell } from '../../src/provision/target-shell.js';
import { uninstallSteps } from '../../src/provision/uninstall-steps.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { drivingState } from '../support/installed.js';

/** Short, since a socket lies in it. */
function placeIn(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'alone-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return { root, shell: localShell(root), system: false };
}

/** A service that says this of itself. */
function serviceThatSays(t: Test, root: string, state: object | undefined): void {
  const { socket, program } = robotPlaces(root);
  for (const path of [socket, program]) mkdirSync(join(path, '..'), { recursive: true });
  if (!existsSync(socket)) {
    const server = createServer().listen(socket);
    t.teardown(() => server.close());
  }
  writeFileSync(program, state === undefined ? '#!/bin/sh\nexit 1\n' : `#!/bin/sh\necho '${JSON.stringify(state)}'\n`);
  chmodSync(program, 0o755);
}

if (process.platform === 'linux') {
  t.test('of two at once the second is told, and nothing is left of either', async t => {
    const place = placeIn(t);
    const done: string[] = [];
    const first = alone(place, async () => {
      await t.rejects(
        alone(place, async () => done.push('second')),
        { code: 'E_PROVISION_BUSY', message: /somebody else/, hint: /then run it again/ },
      );
      done.push('first');
      return 7;
    });
    t.equal(await first, 7);
    t.same(done, ['first']);
    await alone(place, async () => done.push('third'));
    t.same(done, ['first', 'third']);
    t.same(readdirSync(place.root), []);
  });

  t.test('whatever ends the work gives the lock back', async t => {
    const place = placeIn(t);
    await t.rejects(
      alone(place, async () => Promise.reject(new Error('broken off'))),
      { message: 'broken off' },
    );
    const interrupt = new AbortController();
    const shell = localShell(place.root, interrupt.signal);
    setTimeout(() => interrupt.abort(), 300);
    await t.rejects(
      alone({ ...place, shell }, () => shell.run('exec sleep 60')),
      { code: 'E_INTERRUPTED' },
    );
    for (let tries = 0; ; tries++)
      try {
        return await alone(place, async () => {});
      } catch (error) {
        if (tries === 50) throw error;
        await sleep(100);
      }
  });

  t.test('an arm that began to move since it was looked at', async t => {
    const place = placeIn(t);
    for (const motion of ['starting', 'driving', 'stopping'] as const) {
      serviceThatSays(t, place.root, { answer: { ...drivingState, motion } });
      await t.rejects(
        alone(place, async () => t.fail('it is done all the same')),
        { code: 'E_ARM_DRIVEN', hint: /kit stop/ },
      );
    }
    for (const said of [
      { answer: { ...drivingState, motion: 'waiting', words: 'the arm was "driving"' } },
      { error: { code: 'E_SERVICE_ABSENT', message: 'no', hint: 'no', exit: 'noDevice' } },
      undefined,
    ]) {
      serviceThatSays(t, place.root, said);
      t.ok(await alone(place, async () => true), JSON.stringify(said));
    }
  });

  t.test('nor is the service restarted or ended under it, after all was sent', async t => {
    const { root } = placeIn(t);
    const calls = join(root, 'calls');
    const bin = join(root, 'stub');
    mkdirSync(bin);
    writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> '${calls}'\n`);
    chmodSync(join(bin, 'systemctl'), 0o755);
    const install = installSteps({
      robot: loadRobot('so101'),
      runtime: { digest: 'd', manifest: { files: {} }, files: [] } as unknown as RuntimePackage,
      facts: readFacts('system=Linux\nmachine=aarch64\nuser=pi\nuid=0\nfreeKb=1000\n'),
      port: '/dev/ttyUSB0',
      mqtt: undefined,
      replaceSite: false,
      siteThere: undefined,
      runs: true,
    });
    const run = (name: string) => {
      const { script } = [...install, ...uninstallSteps].find(step => step.name === name)!;
      const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
      // As on a machine of its own, but for its root.
      return spawnSync('sh', ['-c', `${prelude(root, true)}${script}`], { encoding: 'utf8', env });
    };
    for (const name of ['start', 'stop']) {
      serviceThatSays(t, root, { answer: drivingState });
      t.match(run(name).stderr, /^E_ARM_DRIVEN\n.*driven.*\n.*kit stop/);
      t.notOk(existsSync(calls), `${name}: systemd is told nothing`);
    }
    serviceThatSays(t, root, undefined);
    t.match(run('start').stderr, /^E_ARM_UNKNOWN\n/, 'its program is broken, and it is active');
    rmSync(calls);
    serviceThatSays(t, root, { answer: { ...drivingState, motion: 'waiting' } });
    t.equal(run('start').status, 0, run('start').stderr);
    t.ok(existsSync(calls));
  });
} else t.comment('not tested, as this machine is no robot’s');
