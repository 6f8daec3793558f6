/** A robot on which nobody logs in as root: an ordinary user who may become root by sudo. Beside that test of a robot's whole life this one is about who does what. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import t from 'tap';
import { errorOf, kitProcess } from '../test-io.js';
import { writeVariant } from './bundles.js';
import { Container, needsContainer } from './container.js';

const hasSudo = spawnSync('sudo', ['--version']).error === undefined;
const skip = needsContainer.skip || (!hasSudo && 'needs sudo');

t.test('refused without sudo; with it installed, deployed to, and taken away again', { skip }, async t => {
  const rig = await startBusRig({ robot: 'so101' });
  t.teardown(() => rig.stop());
  const robot = await Container.start();
  t.teardown(() => robot.stop());
  robot.run('useradd --create-home --shell /bin/sh --password "*" ann');
  robot.plugIn(rig.path);
  const target = robot.targetOf('ann');
  const kit = (...args: string[]) => kitProcess([...args, '--ssh-config', robot.sshConfig, '--yes', '--json']);
  const provision = (...more: string[]) =>
    kit('provision', target, '--robot', 'so101', '--port', '/dev/ttyUSB0', '--node', process.execPath, ...more);

  const refused = await provision();
  t.equal(refused.exit, 2);
  t.match(errorOf(refused), { code: 'E_SUDO', hint: /NOPASSWD/ });
  t.equal(robot.run('ls -d /opt/sim2servo /var/lib/sim2servo 2>/dev/null || true'), '', 'nothing was begun');

  robot.run('echo "ann ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/provision && chmod 440 /etc/sudoers.d/provision');
  const installed = await provision();
  t.equal(installed.exit, 0, installed.exit === 0 ? 'installed' : installed.out);
  t.equal(robot.run('systemctl is-active sim2servo'), 'active');
  t.equal(robot.run('find /opt/sim2servo -user ann; find /home/ann -newer /etc/sudoers.d/provision -type f'), '');

  const bundle = join(t.testdir({}), 'bundle');
  writeVariant(bundle, 0, 1);
  const deployed = await kit('deploy', bundle, '--to', target);
  t.equal(deployed.exit, 0, deployed.exit === 0 ? 'deployed' : deployed.out);
  t.match(JSON.parse((await kit('deploy', 'status', '--to', target)).out), { state: { trial: { phase: 'limited' } } });

  const removed = await kit('provision', target, '--uninstall');
  t.equal(removed.exit, 0, removed.exit === 0 ? 'removed' : removed.out);
  t.equal(robot.run('find /etc /opt /usr /run -iname "*sim2servo*" -newer /etc/kit-test'), '');
  const asked = robot.run('journalctl _COMM=sudo --no-pager');
  t.match(asked, /ann : .*COMMAND=/);
  t.notMatch(asked, /sim2servo-robot\.env|BEGIN|useradd/, 'what the scripts say stands in no log');
});
