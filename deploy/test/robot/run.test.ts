/** The service as a process: what it says to systemd, what it answers, how it ends; and that nothing moves unless somebody says so. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { askService } from '../../src/robot/control-socket.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { DatagramReceiver } from '../support/datagram-receiver.js';
import { deployShipped, installedRoot, robotProgram, startService } from '../support/installed.js';

const needsLinux = { skip: process.platform !== 'linux' && 'sockets of this kind are Linux’ own' };
const folder = mkdtempSync(join(tmpdir(), 'run-'));

async function untilServed(socket: string): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (existsSync(socket)) return;
    await sleep(20);
  }
  throw new Error(`nobody serves ${socket}`);
}

t.test('it says READY at its first tick, is fed while it waits, answers, and ends in order', needsLinux, async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const { digest } = await deployShipped(root);
  const { socket, logs } = robotPlaces(root);
  const receiver = new DatagramReceiver(join(folder, 'notify'));
  const service = startService(['--root', root], { NOTIFY_SOCKET: receiver.name, WATCHDOG_USEC: '800000' });
  await receiver.until(received => received.some(text => text.startsWith('READY=1')), 'READY');
  t.match(
    receiver.received.join('\n'),
    /READY=1\nSTATUS=waiting without torque for kit start; policy so101-reach \([0-9a-f]{12}…\) is ready/,
  );
  await receiver.until(received => received.filter(text => text === 'WATCHDOG=1').length >= 3, 'food');

  const state = await askService(socket, { do: 'state' });
  t.match(state, { motion: 'waiting', robot: 'so101', policy: digest, lostNotifications: 0 });
  t.equal(state.failure, undefined);
  t.ok(state.rssBytes > 10e6 && state.ticks > 0);
  t.same(robotProgram(['ctl', 'state', '--root', root]).answer().answer.policy, digest, 'by its own program, too');

  // site.json of so101 names no port: start fails before anything is opened, and the service lives on.
  const refused = robotProgram(['ctl', 'start', '--root', root]);
  t.equal(refused.status, 2);
  t.match(refused.answer(), { error: { code: 'E_NO_PORT', hint: /--port/ } });
  t.match(await askService(socket, { do: 'state' }), { motion: 'waiting', failure: { code: 'E_NO_PORT' } });
  t.same(readdirSync(logs), [], 'nothing was recorded');

  // Its queue holds ten, and nobody has read for a while.
  receiver.poll();
  service.process.kill('SIGTERM');
  t.equal(await service.ended, 0, service.said());
  t.equal(receiver.poll().at(-1), 'STOPPING=1');
  t.notOk(existsSync(socket));
  receiver.close();
});

t.test('killed and started again it waits: it does not go on where it was', needsLinux, async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  await deployShipped(root);
  const { socket } = robotPlaces(root);
  const first = startService(['--root', root]);
  await untilServed(socket);
  first.process.kill('SIGKILL');
  await first.ended;
  t.ok(existsSync(socket), 'its socket is left');
  const second = startService(['--root', root]);
  await once(second.process.stdout!, 'data');
  for (let tries = 0; !second.said().includes('waiting without torque'); tries++) {
    if (tries > 500) throw new Error(second.said());
    await sleep(20);
  }
  t.match(await askService(socket, { do: 'state' }), { motion: 'waiting', words: 'nothing was driven yet' });
  second.process.kill('SIGTERM');
  t.equal(await second.ended, 0);
});

t.test('without a policy it waits, and says what it waits for', needsLinux, async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  const { socket } = robotPlaces(root);
  const service = startService(['--root', root]);
  await untilServed(socket);
  t.match(await askService(socket, { do: 'state' }), {
    motion: 'waiting',
    failure: { code: 'E_POLICY_NONE', hint: /kit deploy/ },
  });
  await t.rejects(askService(socket, { do: 'start' }), { code: 'E_POLICY_NONE' });
  await deployShipped(root);
  const state = await askService(socket, { do: 'state' });
  t.match(state.policy, /^[0-9a-f]{64}$/, 'what was deployed meanwhile is seen');
  service.process.kill('SIGTERM');
  t.equal(await service.ended, 0);
});

t.test('keys that the robot is given meanwhile count from its next start on', needsLinux, async t => {
  const { root, remove } = installedRoot();
  t.teardown(remove);
  await deployShipped(root);
  const { socket, robot } = robotPlaces(root);
  const service = startService(['--root', root]);
  await untilServed(socket);
  // Nobody's, and whoever revokes a key wants signed policies.
  const site = join(robot, 'site.json');
  writeFileSync(site, JSON.stringify({ ...JSON.parse(readFileSync(site, 'utf8')), revokedKeys: ['0123456789ABCDEF'] }));
  t.match(await askService(socket, { do: 'state' }), { motion: 'waiting', failure: { code: 'E_BUNDLE_UNSIGNED' } });
  await t.rejects(askService(socket, { do: 'start' }), { code: 'E_BUNDLE_UNSIGNED' });
  service.process.kill('SIGTERM');
  t.equal(await service.ended, 0);
});

t.test('where no robot is installed it does not start', needsLinux, async t => {
  const said = robotProgram(['run', '--root', t.testdir({})]);
  t.equal(said.status, 2);
  t.match(said.stderr, /E_NOT_PROVISIONED/);
  t.match(said.stderr, /kit provision/);
});
