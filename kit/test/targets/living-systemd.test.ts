/** A robot's whole life under a living systemd, over a real sshd, as root: nothing of it is pretended but the servos. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { budgets } from '@sim2servo/deploy/provision/provision';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import t from 'tap';
import { kitProcess } from '../test-io.js';
import { writeVariant } from './bundles.js';
import { Container, needsContainer } from './container.js';

const show = (property: string) => `systemctl show -p ${property} --value sim2servo`;
const state = '/usr/local/bin/sim2servo-robot ctl state';

t.test('installed, deployed to, driven, killed, hung, rebooted, and taken away again', needsContainer, async t => {
  const rig = await startBusRig({ robot: 'so101' });
  t.teardown(() => rig.stop());
  const robot = await Container.start();
  t.teardown(() => robot.stop());
  const kit = async (...args: string[]) => {
    const said = await kitProcess([...args, '--ssh-config', robot.sshConfig, '--json']);
    t.equal(said.exit, 0, said.exit === 0 ? `kit ${args[0]}` : said.out);
    return JSON.parse(said.out);
  };
  const number = (property: string) => Number(robot.run(show(property)));
  const restarted = async (times: number) => {
    await robot.until(`test "$(${show('NRestarts')})" = ${times} && ${state}`);
    t.match(JSON.parse(robot.run(state)), { answer: { motion: 'waiting' } }, 'it waits, and does not drive again');
    const { goals, torque } = await rig.report();
    await sleep(500);
    t.same((await rig.report()).goals, goals, 'nobody moves the arm');
    t.comment(`torque ${torque}`);
  };
  const bundle = join(t.testdir({}), 'bundle');
  let bundles = 0;
  /** Another one each time: one that a busy machine let fail is known to be bad. What drives already looks on until it is tried. */
  const deployed = () => {
    writeVariant(bundle, 0, bundles++);
    return kitProcess(['deploy', bundle, '--to', robot.target, '--ssh-config', robot.sshConfig, '--yes']);
  };
  /** On a machine too busy to serve the servos in time it is begun again. */
  const driving = async () => {
    for (let attempt = 1; ; attempt++) {
      const said = await kitProcess(['start', robot.target, '--ssh-config', robot.sshConfig, '--yes']);
      const { motion, policy } = JSON.parse(robot.run(state)).answer;
      if (motion === 'driving') return;
      if (attempt === 8) throw new Error(`it does not drive: ${said.err}`);
      if (policy === undefined) await deployed();
    }
  };
  robot.plugIn(rig.path);
  const installed = await kit(
    ...['provision', robot.target, '--robot', 'so101', '--port', '/dev/ttyUSB0', '--node', process.execPath, '--yes'],
  );
  t.ok(
    installed.steps.every(({ outcome }: { outcome: string }) => outcome === 'done'),
    'no step is left out',
  );
  t.ok(installed.figures.firstTickMs <= budgets.firstTickMs, `first tick after ${installed.figures.firstTickMs} ms`);

  await t.test('the service runs as itself, with next to no rights, and nothing moves', async t => {
    t.equal(robot.run('systemctl is-active sim2servo'), 'active');
    t.match(robot.run('id sim2servo'), /dialout/);
    const status = robot.run(`cat /proc/$(${show('MainPID')})/status`);
    t.match(status, /Uid:\t(\d+)\t\1\t\1\t\1/);
    t.notMatch(status, /Uid:\t0/);
    t.match(status, /CapEff:\t0{16}\nCapBnd:\t0{16}/);
    t.match(status, /NoNewPrivs:\t1\nSeccomp:\t2/);
    t.ok(number('WatchdogUSec') !== 0 && number('NRestarts') === 0);
    const exposure = robot.run('systemd-analyze security sim2servo --no-pager | tail -1');
    t.comment(exposure);
    t.ok(Number(/([\d.]+) \w+/.exec(exposure)?.[1]) <= 1.5, exposure);
    t.same(new Set((await rig.report()).torque), new Set([0]));
  });

  await t.test('a device that the unit does not name is not opened, whoever asks', async t => {
    const tried = (where: string) =>
      robot.run(`${where}; head -c 0 /dev/kmsg && echo opened; head -c 0 ${rig.path} && echo opened its port; true`);
    t.equal(tried('true'), 'opened\nopened its port', 'outside of the service');
    const inside = 'echo $$ > /sys/fs/cgroup/system.slice/sim2servo.service/cgroup.procs';
    t.equal(tried(inside), 'opened its port');
  });

  await t.test('real-time priority where this machine can give it', async t => {
    const policy = robot.run(`chrt --pid $(${show('MainPID')})`);
    if (robot.run('prlimit --rtprio=60:60 true 2>/dev/null && echo yes || true') === 'yes') t.match(policy, /FIFO/);
    else {
      t.comment(`given from outside, as root itself may not raise its limit here: ${policy.split('\n')[0]}`);
      robot.run(`chrt --fifo --reset-on-fork --pid 50 $(${show('MainPID')})`);
    }
  });

  await t.test('it drives, tries its first policy and another beside that, and stays within its memory', async t => {
    const driven = `${state} | grep -q '"motion":"driving"'`;
    const journal = 'journalctl -u sim2servo --no-pager';
    // The first begins with its trial; of the other both are in memory while it looks on.
    const committed = (times: number) => `test $(${journal} | grep -c 'committed: it stays') -ge ${times}`;
    let attempts = 0;
    for (const times of [1, 2])
      while (robot.run(`${committed(times)} && echo yes || true`) !== 'yes') {
        if (++attempts === 10) throw new Error(robot.run(journal));
        await deployed();
        if (robot.run(`${driven} && echo yes || true`) !== 'yes') await driving();
        await robot.until(`! ${driven} || ${committed(times)}`, 60_000);
      }
    const peakBytes = 1024 * Number(robot.run(`awk '/VmHWM/ { print $2 }' /proc/$(${show('MainPID')})/status`));
    t.comment(`peak of ${(peakBytes / 1e6).toFixed(1)} MB`);
    t.ok(peakBytes <= budgets.rssBytes, `${peakBytes} bytes`);
    await kit('stop', robot.target);
    t.match(JSON.parse(robot.run(state)), { answer: { motion: 'waiting' } });
  });

  await t.test('killed while it drives, it is there again, and waits', async () => {
    await driving();
    robot.run('systemctl kill -s KILL sim2servo');
    await restarted(1);
  });

  await t.test('hung while it drives, it is ended by the watchdog, and waits', async t => {
    await driving();
    robot.run('systemctl kill -s STOP sim2servo');
    await restarted(2);
    t.match(robot.run('journalctl -u sim2servo --no-pager'), /Watchdog timeout/);
  });

  await t.test('after a reboot it waits', async t => {
    await robot.reboot();
    t.equal(robot.run('systemctl is-active sim2servo'), 'active');
    await robot.until(state);
    t.match(JSON.parse(robot.run(state)), { answer: { motion: 'waiting' } });
  });

  await t.test('uninstalled, it leaves its logs and nothing else', async t => {
    await kit('provision', robot.target, '--uninstall', '--yes');
    t.equal(robot.run('find /etc /opt /usr /var /run -iname "*sim2servo*" -newer /etc/kit-test'), '/var/lib/sim2servo');
    t.match(robot.run('find /var/lib/sim2servo -type f'), /^(\/var\/lib\/sim2servo\/logs\/[^/]+\.mcap\s*)+$/);
    t.equal(
      robot.run('getent passwd sim2servo; getent group sim2servo; systemctl is-enabled sim2servo 2>/dev/null; true'),
      '',
    );
  });
});
