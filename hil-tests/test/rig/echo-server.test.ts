import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
import { wireUs } from '@sim2servo/models/bus-cycle';
import t from 'tap';
import { startEchoRig } from '../../src/rig/echo-rig.js';
import type { EchoSetup } from '../../src/rig/echo-server.js';

/** What comes back of it, and how long that took. */
async function echoed(setup: EchoSetup, baudRate: number, sent: Uint8Array) {
  const rig = await startEchoRig(setup);
  const stream = await openSerial(rig.path, baudRate);
  try {
    const back: number[] = [];
    const start = performance.now();
    const whole = new Promise<void>(resolve => {
      stream.onData(chunk => {
        back.push(...chunk);
        if (back.length >= sent.length) resolve();
      });
    });
    for (let at = 0; at < sent.length; at += 100) stream.write(sent.subarray(at, at + 100));
    await whole;
    return { back, tookMs: performance.now() - start, report: await rig.report() };
  } finally {
    await stream.close();
    await rig.stop();
  }
}

t.test('what is sent to the port comes back, whole and in order', async t => {
  const sent = Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
  const { back, report } = await echoed({}, 1_000_000, sent);
  t.same(back, [...sent]);
  t.ok(report.realTimeFactor > 0);
});

t.test('with a baud rate the echo takes its time there and back', async t => {
  const sent = Uint8Array.from({ length: 50 }, (_, i) => i);
  const { back, tookMs } = await echoed({ baudRate: 9_600 }, 9_600, sent);
  t.same(back, [...sent]);
  t.ok(tookMs >= (2 * wireUs(sent.length, 9_600)) / 1000 - 1);
});
