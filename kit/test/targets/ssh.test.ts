import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RobotConnection } from '@sim2servo/deploy/agent/protocol';
import { connect } from '@sim2servo/deploy/targets/connect';
import { deployBundle } from '@sim2servo/deploy/targets/deploy-bundle';
import type { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { RobotFolder, writeVariant } from './bundles.js';
import { contract } from './contract.js';
import { installRobotProgram } from './robot-program.js';
import { needsSshd, Sshd } from './sshd.js';

/** Where deployers shared a file for what comes every other pair failed: of so many some for sure. */
const pairs = 20;

t.test('a robot behind OpenSSH', needsSshd, async t => {
  contract(t, async folder => {
    const robot = new RobotFolder(join(folder, 'desk'));
    const store = join(folder, 'store');
    const program = installRobotProgram(folder, { store, robot: robot.folder });
    const sshd = await Sshd.start(join(folder, 'ssh'), program.path);
    return {
      store,
      folder: robot,
      connect: () => connect(sshd.target, { sshConfig: sshd.config(), batch: true }),
      sentBytes: () => sshd.proxy.sentBytes,
      // Encryption, sftp's own heads, and the handshake of a connection.
      overhead: { share: 0.02, bytes: 20_000 },
      link: {
        cutAfter: bytes => {
          sshd.proxy.cutAt = sshd.proxy.sentBytes + bytes;
        },
        heals: false,
      },
      killAgent: program.kill,
      stop: () => sshd.stop(),
    };
  });
});

t.test('two who deploy at once both succeed, or one of them is told that the robot is busy', needsSshd, async t => {
  const folder = t.testdir();
  const store = join(folder, 'store');
  const robot = new RobotFolder(join(folder, 'desk'));
  const sshd = await Sshd.start(join(folder, 'ssh'), installRobotProgram(folder, { store, robot: robot.folder }).path);
  t.after(() => sshd.stop());
  const bundles = ['one', 'two'].map(name => join(folder, name));
  const digests = bundles.map((bundle, i) => writeVariant(bundle, i as 0 | 1, 1));
  const options = { sshConfig: sshd.config(), batch: true };
  // Both are there before they begin, so that what they do falls together.
  const [one, two] = await Promise.all([connect(sshd.target, options), connect(sshd.target, options)]);
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const deploy = async (connection: RobotConnection, bundle: string) =>
    (await deployBundle(connection, bundle, { by: 'one of two' })).digest;
  const ended = { both: 0, busy: 0 };
  for (let pair = 0; pair < pairs; pair++) {
    rmSync(store, { recursive: true, force: true });
    // Now all of their files are the same, now one.
    const second = pair % 2;
    const results = await Promise.allSettled([deploy(one, bundles[0]!), deploy(two, bundles[second]!)]);
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    const errors = results.flatMap(result => (result.status === 'rejected' ? [result.reason as KitError] : []));
    for (const error of errors)
      t.match(error, {
        code: 'E_DEPLOY_BUSY',
        message: /one of two .* has been at .* not sent again/s,
        hint: /try again/,
      });
    t.ok(done.length > 0, `pair ${pair}: ${errors.map(({ message }) => message).join('; ')}`);
    const current = readlinkSync(join(store, 'current')).slice(-64);
    t.ok(done.includes(current) && digests.includes(current));
    if (errors.length > 0) await deploy(two, bundles[second]!);
    else t.same(readdirSync(join(store, 'incoming')), [], 'nothing is left behind');
    ended[errors.length > 0 ? 'busy' : 'both']++;
  }
  t.comment(ended);
});

t.test('each thing that can be wrong with an ssh connection has its own words', needsSshd, async t => {
  const folder = t.testdir();
  const robot = new RobotFolder(join(folder, 'desk'));
  const program = installRobotProgram(folder, { store: join(folder, 'store'), robot: robot.folder });
  const sshd = await Sshd.start(join(folder, 'ssh'), program.path);
  t.after(() => sshd.stop());
  const to = (target = sshd.target, sshConfig = sshd.config()) => connect(target, { sshConfig, batch: true });
  const port = String(sshd.proxy.port);

  sshd.knows(undefined);
  await t.rejects(to(), { code: 'E_TARGET_HOST_KEY', exit: 'noDevice', hint: /compare the key: ssh / });
  sshd.knows('stranger');
  await t.rejects(to(), { code: 'E_TARGET_HOST_CHANGED', message: /another machine/, hint: /ssh-keygen -R/ });
  sshd.knows('host');
  await t.rejects(to(sshd.target, sshd.config('stranger')), { code: 'E_TARGET_LOGIN', hint: /ssh-copy-id/ });
  await t.rejects(to('somebody@127.0.0.1:1'), { code: 'E_TARGET_DOWN', message: /Connection refused/ });
  await t.rejects(to('somebody@no-such-host.invalid'), { code: 'E_TARGET_DOWN', message: /no-such-host/ });
  await t.rejects(to(sshd.target, join(folder, 'nowhere')), { code: 'E_SSH_CONFIG', exit: 'usage' });

  // A name of the configuration, through a jump host, with what a person has set for sessions at the prompt.
  const jump = sshd.config(
    'user',
    `Host desk\n  HostName 127.0.0.1\n  Port ${port}\n  ProxyJump hop\n  RemoteCommand echo hello\n  RequestTTY force\nHost hop\n  HostName 127.0.0.1\n  Port ${port}\n`,
  );
  const hopped = await connect('ssh://desk', { sshConfig: jump, batch: true });
  t.match(await hopped.request({ kind: 'status' }), { robot: 'so101' });
  await hopped.close();

  rmSync(join(program.path, 'sim2servo-robot'));
  await t.rejects(to(), { code: 'E_TARGET_BARE', hint: /kit provision .*@127/ });
  writeFileSync(join(program.path, 'sim2servo-robot'), '#!/bin/sh\necho Welcome to Raspbian; cat\n', { mode: 0o755 });
  await t.rejects(to(), { code: 'E_TARGET_SPEECH', message: /Welcome to Raspbian/, hint: /\.bashrc/ });
  writeFileSync(join(program.path, 'sim2servo-robot'), '#!/bin/sh\necho broken >&2; exit 70\n', { mode: 0o755 });
  await t.rejects(to(), { code: 'E_TARGET_LOST', message: /broken \(exit code 70\)/ });
});
