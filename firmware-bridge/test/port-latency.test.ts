import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { adapterOf, adapters, latencyRule, latencyWarning, lowerLatency } from '../src/port-latency.js';

/** A sysfs with USB adapters in it, and paths that stand for their ports. */
function machine(t: Test, timers: Readonly<Record<string, [driver: string, timer?: number]>>) {
  const root = t.testdir({ sys: {}, dev: {} });
  const sysfs = join(root, 'sys');
  for (const [name, [driver, timer]] of Object.entries(timers)) {
    const folder = join(sysfs, 'bus/usb-serial/devices', name);
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(sysfs, 'bus/usb-serial/drivers', driver), { recursive: true });
    symlinkSync(`../../drivers/${driver}`, join(folder, 'driver'));
    if (timer !== undefined) writeFileSync(join(folder, 'latency_timer'), `${timer}\n`);
    writeFileSync(join(root, 'dev', name), '');
  }
  writeFileSync(join(root, 'dev', 'ttyACM0'), '');
  const timerFile = (name: string) => join(sysfs, 'bus/usb-serial/devices', name, 'latency_timer');
  return { sysfs, port: (name: string) => join(root, 'dev', name), timerFile };
}

t.test('an FTDI adapter has a timer, others have none, and a modem is no such adapter', async t => {
  const { sysfs, port } = machine(t, { ttyUSB0: ['ftdi_sio', 16], ttyUSB1: ['cp210x'] });
  t.same(adapterOf(port('ttyUSB0'), sysfs), { name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 16 });
  t.same(adapterOf(port('ttyUSB1'), sysfs), { name: 'ttyUSB1', driver: 'cp210x' });
  t.equal(adapterOf(port('ttyACM0'), sysfs), undefined);
  t.same(
    adapters(sysfs).map(({ name }) => name),
    ['ttyUSB0', 'ttyUSB1'],
  );
  t.same(adapters(join(sysfs, 'nowhere')), []);
});

t.test('a port is found behind a link to it, as udev makes them', async t => {
  const { sysfs, port } = machine(t, { ttyUSB0: ['ftdi_sio', 16] });
  symlinkSync(port('ttyUSB0'), port('left-arm'));
  t.equal(adapterOf(port('left-arm'), sysfs)?.timerMs, 16);
});

t.test('the flag is enough, as the driver then shows 1 ms; the file is not written', async t => {
  const { sysfs, port, timerFile } = machine(t, { ttyUSB0: ['ftdi_sio', 16] });
  const setFlag = async () => writeFileSync(timerFile('ttyUSB0'), '1\n');
  const now = await lowerLatency(port('ttyUSB0'), setFlag, sysfs);
  t.same(now, { name: 'ttyUSB0', driver: 'ftdi_sio', timerMs: 1 });
  t.equal(latencyWarning(now!), undefined);
  t.equal(readFileSync(timerFile('ttyUSB0'), 'utf8'), '1\n', 'as the driver wrote it');
});

t.test('a flag that does nothing, or fails, is made up for by the file, where that may be written', async t => {
  for (const setFlag of [
    async () => {},
    async () => {
      throw new Error('inappropriate ioctl');
    },
  ]) {
    const { sysfs, port, timerFile } = machine(t, { ttyUSB0: ['ftdi_sio', 16] });
    t.equal((await lowerLatency(port('ttyUSB0'), setFlag, sysfs))?.timerMs, 1);
    t.equal(readFileSync(timerFile('ttyUSB0'), 'utf8'), '1');
  }
});

t.test('where neither is permitted it is said, with what was refused', async t => {
  const { sysfs, port } = machine(t, { ttyUSB0: ['ftdi_sio', 16] });
  const refused = async () => {
    throw new Error('Operation not permitted');
  };
  const now = await lowerLatency(port('ttyUSB0'), refused, sysfs, () => {
    throw new Error('EACCES: permission denied');
  });
  t.match(now, { timerMs: 16, refusal: /EACCES/ });
  t.match(latencyWarning(now!), /ttyUSB0 \(ftdi_sio\) keeps what servos say back for up to 16 ms \(EACCES/);
});

t.test('what is low already, or has no timer, is left alone', async t => {
  const { sysfs, port } = machine(t, { ttyUSB0: ['ftdi_sio', 1], ttyUSB1: ['ch341-uart'] });
  const never = async () => void t.fail('nothing is to set');
  for (const name of ['ttyUSB0', 'ttyUSB1', 'ttyACM0']) {
    const now = await lowerLatency(port(name), never, sysfs);
    if (now !== undefined) t.equal(latencyWarning(now), undefined, name);
  }
});

t.test('the udev rule is one line that names the driver and the attribute', async t => {
  t.match(latencyRule, /^ACTION=="add", SUBSYSTEM=="usb-serial", DRIVER=="ftdi_sio", ATTR\{latency_timer\}="1"$/);
});
