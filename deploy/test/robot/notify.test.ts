import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { openNotify, unixAddress, watchdogUsOf } from '../../src/robot/notify.js';
import { DatagramReceiver } from '../support/datagram-receiver.js';

const needsLinux = { skip: process.platform !== 'linux' && 'sockets of this kind are Linux’ own' };
const folder = mkdtempSync(join(tmpdir(), 'notify-'));

t.test('an address is the family and the name: a path ends with a zero, an abstract name begins with one', async t => {
  t.same([...unixAddress('/a')], [1, 0, 0x2f, 0x61, 0]);
  t.same([...unixAddress('@a')], [1, 0, 0, 0x61]);
  for (const name of ['relative', '@', '', `/${'x'.repeat(107)}`])
    t.throws(() => unixAddress(name), { code: 'E_NOTIFY_SOCKET' }, `'${name.slice(0, 10)}' is refused`);
  t.equal(unixAddress(`/${'x'.repeat(106)}`).length, 110, 'the longest: struct sockaddr_un has 110 bytes');
});

t.test('the interval counts only where it is one, and meant for this process', async t => {
  t.equal(watchdogUsOf({ WATCHDOG_USEC: '10000000' }, 7), 10_000_000);
  t.equal(watchdogUsOf({ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '7' }, 7), 10_000_000);
  t.equal(watchdogUsOf({ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '8' }, 7), undefined);
  for (const WATCHDOG_USEC of ['', '0', '-1', 'soon']) t.equal(watchdogUsOf({ WATCHDOG_USEC }), undefined);
});

t.test('without NOTIFY_SOCKET nothing is said to anybody', async t => {
  for (const environment of [{}, { NOTIFY_SOCKET: '' }]) {
    const notify = await openNotify(environment);
    notify.ready('ready');
    notify.alive();
    notify.status('well');
    notify.stopping();
    notify.close();
    t.equal(notify.lost, 0);
    t.equal(notify.watchdogUs, undefined);
  }
});

for (const name of [join(folder, 'notify'), `@sim2servo-test-${process.pid}`])
  t.test(
    `each message is one datagram, to ${name.startsWith('@') ? 'an abstract name' : 'a path'}`,
    needsLinux,
    async t => {
      const receiver = new DatagramReceiver(name);
      t.ok(receiver.known, 'the system knows the socket by this name');
      const notify = await openNotify({ NOTIFY_SOCKET: name, WATCHDOG_USEC: '5000000' });
      t.equal(notify.watchdogUs, 5_000_000);
      notify.ready('waiting for\nyou');
      notify.alive();
      notify.status('größer');
      notify.stopping();
      t.same(receiver.poll(), ['READY=1\nSTATUS=waiting for you', 'WATCHDOG=1', 'STATUS=größer', 'STOPPING=1']);
      t.equal(notify.lost, 0);
      receiver.close();
      notify.alive();
      t.equal(notify.lost, 1, 'what nobody takes is counted');
      notify.close();
    },
  );

t.test('a socket that takes no more loses messages, and the loop does not wait for it', needsLinux, async t => {
  const receiver = new DatagramReceiver(join(folder, 'full'));
  const notify = await openNotify({ NOTIFY_SOCKET: receiver.name });
  for (let i = 0; i < 10_000 && notify.lost === 0; i++) notify.alive();
  t.equal(notify.lost, 1);
  t.ok(receiver.poll().every(message => message === 'WATCHDOG=1'));
  receiver.close();
  notify.close();
});

t.test('a name that is none is refused before anything is started', needsLinux, async t => {
  await t.rejects(
    openNotify({ NOTIFY_SOCKET: 'here' }),
    new KitError(
      'E_NOTIFY_SOCKET',
      "NOTIFY_SOCKET 'here' is neither an absolute path nor an @abstract name of at most 107 bytes",
      'start it by systemd, or without NOTIFY_SOCKET',
      'usage',
    ),
  );
});

if (existsSync('/usr/bin/systemd-notify') || existsSync('/bin/systemd-notify'))
  t.test("systemd's own program reaches the same receiver: it is no receiver of our own making", async t => {
    const receiver = new DatagramReceiver(join(folder, 'own'));
    spawnSync('systemd-notify', ['--ready'], { env: { ...process.env, NOTIFY_SOCKET: receiver.name } });
    t.match(receiver.poll().join('\n'), /READY=1/);
    receiver.close();
  });
else t.comment("systemd's own program: not tested, as systemd-notify is not installed");
