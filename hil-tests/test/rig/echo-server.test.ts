import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { wireUs } from '@sim2servo/models/bus-cycle';
import t from 'tap';
import { startEchoRig } from '../../src/rig/echo-rig.js';

t.test('what is sent to the port comes back, whole and in order', async t => {
  const rig = await startEchoRig();
  const stream = await openSerial(rig.path, 1_000_000);
  try {
    const sent = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
    const back: number[] = [];
    const whole = new Promise<void>(resolve => {
      stream.onData(chunk => {
        back.push(...chunk);
        if (back.length >= sent.length) resolve();
      });
    });
    for (let at = 0; at < sent.length; at += 100) stream.write(sent.subarray(at, at + 100));
    await whole;
    t.same(back, [...sent]);
    t.ok((await rig.report()).realTimeFactor > 0);
  } finally {
    await stream.close();
    await rig.stop();
  }
});

t.test('with a baud rate the echo takes its time there and back', async t => {
  const rig = await startEchoRig({ baudRate: 9_600 });
  const stream = await openSerial(rig.path, 9_600);
  try {
    const sent = Uint8Array.from({ length: 50 }, (_, i) => i);
    const back: number[] = [];
    const start = performance.now();
    const whole = new Promise<void>(resolve => {
      stream.onData(chunk => {
        back.push(...chunk);
        if (back.length >= sent.length) resolve();
      });
    });
    stream.write(sent);
    await whole;
    t.same(back, [...sent]);
    const onWireMs = (2 * wireUs(sent.length, 9_600)) / 1000;
    t.ok(performance.now() - start >= onWireMs - 1);
  } finally {
    await stream.close();
    await rig.stop();
  }
});
