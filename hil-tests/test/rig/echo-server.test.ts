import { openSerial } from '@sim2servo/firmware-bridge/serial-stream';
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
