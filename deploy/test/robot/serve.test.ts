import { join } from 'node:path';
import t from 'tap';
import { robotProgram } from '../support/robot-process.js';

const places = ['--store', join(t.testdir(), 'store'), '--robot', 'so101'];

t.test('what it needs to be told it says', async t => {
  t.match(await robotProgram('serve', ...places), { code: 2, err: /--broker is missing\n.*serve --help.*\[E_USAGE\]/ });
  t.match(await robotProgram('serve', ...places, '--broker', 'http://x'), {
    code: 2,
    err: /'http:\/\/x' must be mqtt/,
  });
  t.match(await robotProgram('serve', ...places, '--broker', 'mqtt://x', '--name', 'a/b'), {
    code: 2,
    err: /--name 'a\/b' must be letters/,
  });
});

t.test('its service names the broker in the environment, where no other user reads the password', async t => {
  process.env.SIM2SERVO_MQTT = 'mqtt://me:secret@127.0.0.1:1';
  t.teardown(() => delete process.env.SIM2SERVO_MQTT);
  const said = await robotProgram('serve', ...places);
  t.match(said, { code: 3, err: /nothing listens on port 1 / });
  t.notMatch(said.err, /secret/);
  t.match(await robotProgram('serve', ...places, '--broker', 'http://x'), {
    code: 2,
    err: /'http:\/\/x' must be mqtt/,
  });
});

t.test('a broker that is not there ends it, so that its service tries again', async t => {
  t.match(await robotProgram('serve', ...places, '--broker', 'mqtt://127.0.0.1:1'), {
    code: 3,
    out: '',
    err: /nothing listens on port 1 .*[\s\S]*\[E_BROKER_CONNECT\]/,
  });
});
