import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import {
  isAlive,
  isOwnerAlive,
  isThisProcess,
  ownedName,
  ownedS,
  ownerSchema,
  processWords,
  thisOwner,
  waitWords,
} from '../../src/releases/owner.js';

t.test('who asks is alive, and has been the owner since just now', async t => {
  const owner = thisOwner();
  t.ok(isAlive(owner));
  t.same(ownerSchema.parse(JSON.parse(JSON.stringify(owner))), owner, 'also out of a file');
  t.ok(ownedS(owner) < 5);
  t.equal(ownedS({ ...owner, sinceUptimeS: owner.sinceUptimeS - 30 }) >= 30, true);
});

t.test('a process that is gone is dead', async t => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  t.notOk(isAlive({ ...thisOwner(), pid: child.pid! }));
});

t.test('a later process of the same number is another one', async t => {
  const owner = thisOwner();
  t.notOk(isAlive({ ...owner, startTicks: owner.startTicks! - 100 }));
});

t.test('after a restart of the machine nobody of before is alive', async t => {
  t.notOk(isAlive({ ...thisOwner(), boot: '00000000-0000-4000-8000-000000000000' }));
});

t.test('a thread that has ended is dead, though its process goes on', async t => {
  const url = new URL('../../src/releases/owner.js', import.meta.url).href;
  const code = `import(${JSON.stringify(url)}).then(({ thisOwner }) => require('node:worker_threads').parentPort.postMessage(thisOwner()));
    setInterval(() => {}, 1000);`;
  const worker = new Worker(code, { eval: true });
  const [owner] = await once(worker, 'message');
  t.equal(owner.pid, process.pid);
  t.not(owner.thread, thisOwner().thread);
  t.ok(isAlive(owner));
  await worker.terminate();
  // The system takes the thread away a moment after Node has let it go.
  for (let i = 0; i < 100 && isAlive(owner); i++) await sleep(20);
  t.notOk(isAlive(owner));
  t.ok(isAlive(thisOwner()));
});

t.test('a zombie is dead', async t => {
  // The shell's child ends; the program that takes the shell's place never asks for it.
  const shell = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(shell.stdout, 'data');
  const pid = Number(line);
  const owner = { ...thisOwner(), pid, thread: pid };
  for (let i = 0; i < 100 && isAlive(owner); i++) await sleep(20);
  t.notOk(isAlive(owner));
  t.doesNotThrow(() => process.kill(pid, 0), 'its number is still taken');
  shell.kill();
});

t.test('a name says whose it is, and is never given twice', async t => {
  const name = ownedName();
  const { pid, thread, startTicks, boot } = thisOwner();
  t.equal(isOwnerAlive(name), true);
  t.not(ownedName(), name);
  t.match(name, /^[\w.-]{1,100}$/, 'fit for a file, and for a command of sftp');
  const named = (ticks: number, start: string | undefined) => `of-${pid}-${thread}-${ticks}-${start}.ab`;
  t.equal(isOwnerAlive(named(startTicks!, boot)), true);
  t.equal(isOwnerAlive(named(startTicks! - 100, boot)), false, 'a later process of the same number');
  t.equal(isOwnerAlive(named(startTicks!, '00000000-0000-4000-8000-000000000000')), false, 'of another boot');
  for (const none of ['draft', '', 'of-', 'of-1', 'of-1.xyz', `${name}.part`, `../${name}`])
    t.equal(isOwnerAlive(none), undefined, `'${none}' names nobody`);
});

t.test('a process of another container goes on where something is heard of it', async t => {
  const here = thisOwner();
  const elsewhere = { ...here, pid: 1, namespace: 'pid:[1]' };
  t.notOk(isAlive(elsewhere));
  t.ok(isAlive(elsewhere, () => true));
  t.notOk(isAlive({ ...elsewhere, boot: '00000000-0000-4000-8000-000000000000' }, () => true));
  t.equal(processWords(elsewhere), 'process 1 of another container');
  t.equal(processWords(here), `process ${process.pid}`);
  t.match(waitWords(elsewhere, 'wait'), /^wait; .*60 s$/);
  t.equal(waitWords(here, 'wait'), 'wait');
  t.notOk(isThisProcess({ ...here, namespace: 'pid:[1]' }), 'of the same number');
});

t.test('without /proc the number of the process is all there is', async t => {
  const { boot } = thisOwner();
  t.type(boot, 'string', 'this machine has one');
  t.notOk(isAlive({ pid: process.pid, sinceUptimeS: 0 }), 'so a mark without a boot is none of this one');
});
