import t from 'tap';
import { robotPlaces } from '../../src/robot/robot-places.js';

t.test('a robot lies where systemd, udev and people look for it', async t => {
  t.same(robotPlaces('/'), {
    robot: '/etc/sim2servo/robot',
    store: '/var/lib/sim2servo/store',
    logs: '/var/lib/sim2servo/logs',
    socket: '/run/sim2servo/control.sock',
    runtimes: '/opt/sim2servo',
    program: '/usr/local/bin/sim2servo-robot',
  });
});

t.test('below another root everything moves with it', async t => {
  for (const path of Object.values(robotPlaces('/images/arm'))) t.match(path, /^\/images\/arm\//);
});

t.test('the start script says which root it lies in', async t => {
  const before = process.env.SIM2SERVO_ROOT;
  process.env.SIM2SERVO_ROOT = '/images/arm';
  t.equal(robotPlaces().store, '/images/arm/var/lib/sim2servo/store');
  if (before === undefined) delete process.env.SIM2SERVO_ROOT;
  else process.env.SIM2SERVO_ROOT = before;
});
