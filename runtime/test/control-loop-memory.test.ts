import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const script = fileURLToPath(new URL('./support/loop-for-long.js', import.meta.url));

t.test('three hundred thousand ticks leave the heap as it was', async t => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, '300000']);
  const { grownBytes, scavenges } = JSON.parse(stdout) as { grownBytes: number; scavenges: number };
  t.comment(`heap grew by ${grownBytes} bytes, ${scavenges} scavenges of the young generation`);
  // One number kept for each tick would be 2 400 000 bytes.
  t.ok(grownBytes < 1_000_000, `grew by ${grownBytes} bytes`);
});
