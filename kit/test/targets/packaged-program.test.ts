/** The program as a robot gets it, bundled into few files, behind a real broker: what is loaded late is loaded here, too. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { robotPlaces } from '@sim2servo/deploy/robot/robot-places';
import { DatagramReceiver } from '@sim2servo/deploy/test-support/datagram-receiver';
import { startBroker } from '@sim2servo/hil-tests/rig/broker/start-broker';
import t, { type Test } from 'tap';
import { kit, needsLinux } from '../test-io.js';
import { RobotFolder, writeVariant } from './bundles.js';

const patienceMs = 30_000;

/** Installed below a folder that is short enough for a socket. */
async function provisioned(t: Test, robot: string, ...more: string[]): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'packaged-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const said = await kit(['provision', '--to', root, '--robot', robot, ...more, '--own-node', '--yes']);
  t.equal(said.exit, 0, said.err);
  return root;
}

/** @param env what its unit would read from a file */
async function started(t: Test, root: string, command: string, env: NodeJS.ProcessEnv, so: (said: string) => boolean) {
  const child: ChildProcess = spawn(robotPlaces(root).program, [command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  for (const since = performance.now(); !so(said); await sleep(20))
    if (child.exitCode !== null || performance.now() - since > patienceMs)
      throw new Error(`${command} (${child.exitCode}): ${said}`);
}

t.test('its agent takes a policy from a broker', needsLinux, async t => {
  const broker = await startBroker();
  t.teardown(() => broker.stop());
  const root = await provisioned(t, 'so101', '--port', '/dev/ttyUSB0', '--mqtt', broker.url);
  const [name, address] = readFileSync(join(root, 'etc/sim2servo/agent.env'), 'utf8').trim().split('=') as [
    string,
    string,
  ];
  const systemd = new DatagramReceiver(join(root, 'notify'));
  t.teardown(() => systemd.close());
  const env = { [name]: address, NOTIFY_SOCKET: systemd.name, WATCHDOG_USEC: '1000000' };
  await started(t, root, 'serve', env, () => systemd.poll().includes('WATCHDOG=1'));
  t.equal(systemd.received[0], 'READY=1\nSTATUS=serves so101');
  const bundle = join(t.testdir(), 'bundle');
  const digest = writeVariant(bundle, 0, 1);
  const said = await kit(['deploy', bundle, '--to', `${broker.url}/so101`, '--yes']);
  t.equal(said.exit, 0, said.err);
  t.equal(readlinkSync(join(robotPlaces(root).store, 'current')), join('releases', digest));
});

t.test('its servo bus speaks with a broker', needsLinux, async t => {
  const broker = await startBroker();
  t.teardown(() => broker.stop());
  const { folder } = new RobotFolder(join(t.testdir(), 'so101'));
  const site = { format: 'sim2servo/site@1', bus: { kind: 'mqtt', broker: broker.url } };
  writeFileSync(join(folder, 'site.json'), JSON.stringify(site));
  const root = await provisioned(t, folder);
  const { program, socket, store } = robotPlaces(root);
  const bundle = join(folder, '..', 'bundle');
  writeVariant(bundle, 0, 1);
  const deployed = await kit(['deploy', bundle, '--to', store, '--robot', folder]);
  t.equal(deployed.exit, 0, deployed.err);
  await started(t, root, 'run', {}, () => existsSync(socket));
  // Connected and subscribed; behind this broker nobody has servos.
  t.match(JSON.parse(spawnSync(program, ['ctl', 'start'], { encoding: 'utf8' }).stdout), {
    error: { code: 'E_NO_BRIDGE' },
  });
});
