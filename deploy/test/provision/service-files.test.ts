/** The units are what systemd takes for units, and as closed as they say; a rule is one that udev reads. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import {
  agentEnvironment,
  agentUnit,
  limitsFile,
  modulesFile,
  programScript,
  serviceUnit,
  udevRule,
} from '../../src/provision/service-files.js';

const robot = loadRobot('so101');
const mqttRobot = {
  spec: robot.spec,
  site: { ...robot.site, bus: { kind: 'mqtt' as const, broker: 'mqtt://b', deadlineMs: 100 } },
};
const units = {
  'sim2servo.service': serviceUnit(robot, '/dev/sim2servo-bus'),
  'sim2servo-broker.service': serviceUnit(mqttRobot, undefined),
  'sim2servo-agent.service': agentUnit(robot),
};

/** As much of a runtime as the start script depends on. */
const runtime = (ownNode: boolean, inference: 'native' | 'wasm') => ({
  ownNode,
  manifest: { format: 'sim2servo/runtime@1' as const, version: '', platform: '', node: '', inference, files: {} },
});

const lines = (unit: string, key: string) =>
  unit
    .split('\n')
    .filter(line => line.startsWith(`${key}=`))
    .map(line => line.slice(key.length + 1));

t.test('the service is watched, restarted a few times, and has nothing but its bus', async t => {
  const unit = units['sim2servo.service'];
  for (const [key, ...values] of [
    ['Type', 'notify'],
    ['NotifyAccess', 'main'],
    ['WatchdogSec', '10'],
    ['Restart', 'on-failure'],
    ['StartLimitBurst', '5'],
    ['User', 'sim2servo'],
    ['CapabilityBoundingSet', ''],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
    ['ReadWritePaths', '/var/lib/sim2servo'],
    ['DevicePolicy', 'closed'],
    ['PrivateNetwork', 'yes'],
    ['RestrictAddressFamilies', 'AF_UNIX'],
    ['LimitRTPRIO', '60'],
    ['UMask', '0007'],
  ])
    t.same(lines(unit, key!), values, key!);
  t.match(lines(unit, 'ExecStart')[0], /sim2servo-robot run$/, 'and nothing in it says start');
  t.notMatch(unit, /MemoryDenyWriteExecute=yes/, 'V8 compiles: that can not be');
});

t.test('the agent is watched, too, and tried again until its broker is there', async t => {
  const unit = units['sim2servo-agent.service'];
  for (const [key, ...values] of [
    ['Type', 'notify'],
    ['NotifyAccess', 'main'],
    ['WatchdogSec', '60'],
    ['Restart', 'on-failure'],
    ['StartLimitBurst', '20'],
  ])
    t.same(lines(unit, key!), values, key!);
});

t.test('only the kind of device that the port is may be opened', async t => {
  const allowed = (port: string) => lines(serviceUnit(robot, port), 'DeviceAllow');
  t.same(allowed('/dev/ttyUSB0'), ['char-ttyUSB rw']);
  t.same(allowed('/dev/ttyACM3'), ['char-ttyACM rw']);
  t.same(allowed('/dev/ttyAMA0'), ['char-ttyAMA rw']);
  t.same(allowed('/dev/ttyTHS1'), ['char-ttyTHS rw']);
  t.same(allowed('/dev/sim2servo-bus'), ['char-ttyUSB rw', 'char-ttyACM rw'], 'a name that does not say which');
  t.same(lines(units['sim2servo-agent.service'], 'DeviceAllow'), [], 'the agent has none');
  t.same(lines(units['sim2servo-broker.service'], 'DeviceAllow'), [], 'nor a loop whose bus is behind a broker');
});

t.test('there is a network only where a broker is', async t => {
  for (const name of ['sim2servo-broker.service', 'sim2servo-agent.service'] as const) {
    t.same(lines(units[name], 'PrivateNetwork'), [], name);
    t.match(lines(units[name], 'RestrictAddressFamilies')[0], /AF_INET AF_INET6/, name);
  }
});

t.test('modules are loaded at boot where a class of devices needs one', async t => {
  t.match(modulesFile('/dev/ttyUSB0'), /\nusbserial\n$/);
  t.match(modulesFile('/dev/sim2servo-bus'), /\nusbserial\ncdc_acm\n$/);
  t.equal(modulesFile('/dev/ttyAMA0'), '');
  t.equal(modulesFile(undefined), '');
});

t.test('the adapter has a name where its ids are known, and answers at once in any case', async t => {
  const known = udevRule({ vendor: '0403', product: '6014', serial: 'FT1' });
  t.match(
    known,
    /ATTRS\{idVendor\}=="0403", ATTRS\{idProduct\}=="6014", ATTRS\{serial\}=="FT1", SYMLINK\+="sim2servo-bus"\n/,
  );
  t.notMatch(udevRule({ vendor: '0403', product: '6014' }), /serial\}/);
  t.notMatch(udevRule(undefined), /SYMLINK/);
  for (const rule of [known, udevRule(undefined)]) t.match(rule, /ATTR\{latency_timer\}="1"/);
});

t.test('a program that is started says where it lies, and runs the Node beside it or the robot’s own', async t => {
  const folder = t.testdir({
    usr: { local: { bin: { 'sim2servo-robot': '' } } },
    opt: { sim2servo: { current: { bin: {} } } },
  });
  const program = join(folder, 'usr/local/bin/sim2servo-robot');
  const node = join(folder, 'opt/sim2servo/current/bin/node');
  writeFileSync(node, '#!/bin/sh\necho "$SIM2SERVO_ROOT" "$(umask)" "$@"\n');
  for (const [path, text] of [
    [program, programScript(runtime(false, 'native'))],
    [node, '#!/bin/sh\necho "$SIM2SERVO_ROOT" "$(umask)" "$@"\n'],
  ] as const) {
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }
  const { stdout } = spawnSync(program, ['ctl', 'a b'], { encoding: 'utf8' });
  const [root, mask, ...rest] = stdout.trim().split(' ');
  t.match(root, /deploy.*service-files/);
  t.equal(mask, '0007', 'what it writes is for the group');
  t.match(rest.join(' '), /current\/lib\/sim2servo-robot\.js ctl a b$/);
  t.match(programScript(runtime(true, 'wasm')), /exec node .*--liftoff-only/);
  t.notMatch(programScript(runtime(true, 'native')), /liftoff/);
});

t.test('a broker’s password is on no command line', async t => {
  const environment = agentEnvironment('mqtt://me:secret@broker');
  t.match(environment, /^SIM2SERVO_MQTT=mqtt:\/\/me:secret@broker\n$/);
  t.notMatch(units['sim2servo-agent.service'], /secret/);
  t.match(lines(units['sim2servo-agent.service'], 'EnvironmentFile'), ['/etc/sim2servo/agent.env']);
});

t.test('who drives by hand may have real-time priority', async t => {
  t.match(limitsFile, /^@sim2servo - rtprio 60$/m);
});

/** Exposure by `systemd-analyze security`, 0 … 10: ours is below 1, 2 is where it begins to say OK. */
const worstExposure = 20;

if (spawnSync('systemd-analyze', ['--version']).status === 0)
  t.test('systemd takes the units, and calls them closed', async t => {
    const folder = t.testdir({});
    mkdirSync(join(folder, 'bin'));
    const program = join(folder, 'bin', 'sim2servo-robot');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    for (const [name, unit] of Object.entries(units)) {
      const path = join(folder, name);
      writeFileSync(path, unit.replaceAll('/usr/local/bin/sim2servo-robot', program));
      const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
      t.same([verified.status, verified.stderr], [0, ''], `verify ${name}`);
      const args = ['security', '--offline=true', `--threshold=${worstExposure}`, '--no-pager', path];
      const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
      t.equal(status, 0, `${name}: ${stdout.trim().split('\n').at(-1)}`);
    }
    writeFileSync(join(folder, 'open.service'), '[Service]\nExecStart=/bin/true\n');
    const open = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', `--threshold=${worstExposure}`, '--no-pager', join(folder, 'open.service')],
      { encoding: 'utf8' },
    );
    t.not(open.status, 0, 'a unit that closes nothing does not pass');
  });
else t.comment('units by systemd itself: not tested, as systemd-analyze is not installed');
