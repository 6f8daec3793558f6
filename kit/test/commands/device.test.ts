import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { kit } from '../test-io.js';

t.test('the ports of this machine are one JSON list, each with a path', async t => {
  const { exit, out } = await kit(['--json', 'device', 'list']);
  t.equal(exit, 0);
  for (const port of JSON.parse(out) as { path: unknown }[]) t.type(port.path, 'string');
});

t.test('the same list is readable without --json', async t => {
  const ports = JSON.parse((await kit(['--json', 'device', 'list'])).out) as { path: string }[];
  const { out } = await kit(['device', 'list']);
  t.match(out, ports[0]?.path ?? 'no serial port');
});

t.test('flashing says what it will do, and does nothing unless somebody agrees', async t => {
  const args = ['--json', 'device', 'flash', '--port', '/dev/no-such-port'];
  const unasked = await kit(args);
  t.equal(unasked.exit, 2, 'nobody could be asked');
  t.match(unasked.err, 'replace the program of the board on /dev/no-such-port by kitlink-atmega328p.hex');
  t.equal(JSON.parse(unasked.out).error.code, 'E_NOT_CONFIRMED');
  const refused = await kit(args, false);
  t.equal(refused.exit, 1);
  t.equal(JSON.parse(refused.out).error.code, 'E_NOT_CONFIRMED');
});

t.test('a port that is not there is exit 3', async t => {
  const { exit, out } = await kit(['--json', 'device', 'flash', '--port', '/dev/no-such-port', '--yes']);
  t.equal(exit, 3);
  t.match(JSON.parse(out).error, { code: 'E_PORT_ABSENT', message: 'there is no port /dev/no-such-port' });
});

t.test('an image that is absent or no Intel HEX is found before anything is asked', async t => {
  const flash = (image: string) => kit(['--json', 'device', 'flash', '--port', '/dev/x', '--image', image], true);
  const absent = await flash('/no/such.hex');
  t.equal(absent.exit, 2);
  t.equal(JSON.parse(absent.out).error.code, 'E_IMAGE_READ');
  const file = join(t.testdir(), 'notes.hex');
  writeFileSync(file, 'buy milk\n');
  const foreign = await flash(file);
  t.equal(foreign.exit, 2);
  t.equal(JSON.parse(foreign.out).error.code, 'E_HEX');
  t.notMatch(foreign.err, 'About to replace');
});

t.test('the bootloader baud rate is a whole number', async t => {
  const { exit, out } = await kit(['--json', 'device', 'flash', '--port', '/dev/x', '--baud', 'fast']);
  t.equal(exit, 2);
  t.match(JSON.parse(out).error.message, 'fast');
});
