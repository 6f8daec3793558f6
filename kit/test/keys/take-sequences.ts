/** A process that takes sequences of a key as soon as its input says so, and tells them; `hold`: that keeps the key's lock until it is killed. */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { realDisk } from '@sim2servo/runtime/releases/disk';
import { StoreLock } from '@sim2servo/runtime/releases/store-lock';
import { keysFolder, takeSequence } from '../../src/keys/key-ring.js';

const [, , name = '', count = ''] = process.argv;
const forEver = new Int32Array(new SharedArrayBuffer(4));

writeSync(1, 'ready\n');
await once(process.stdin, 'data');
if (count === 'hold') {
  const hold = () => {
    writeSync(1, 'held\n');
    Atomics.wait(forEver, 0, 0);
  };
  StoreLock.whileChanging({ folder: keysFolder(), disk: realDisk }, hold, { name: `${name}.lock` });
}
writeSync(1, JSON.stringify(Array.from({ length: Number(count) }, () => takeSequence(name, 1))));
process.stdin.destroy();
