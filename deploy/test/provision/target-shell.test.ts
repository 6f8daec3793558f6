import { spawnSync } from 'node:child_process';
import t from 'tap';
import { byInput, localShell, quoted, refusedExit, sshShell, sshTargetOf } from '../../src/provision/target-shell.js';

t.test('a machine is named as for ssh, and a port may follow', async t => {
  t.match(sshTargetOf('pi@arm.local'), { destination: 'pi@arm.local', port: undefined, sshConfig: undefined });
  t.match(sshTargetOf('pi@10.0.0.2:2222', 'conf'), { destination: 'pi@10.0.0.2', port: 2222, sshConfig: 'conf' });
  t.match(sshTargetOf('arm'), { destination: 'arm' });
  for (const text of ['', '-oProxyCommand=x', 'pi@-x', 'a b', 'pi@arm:', 'pi@arm:ssh', 'a@b@c', './robot', '/robot'])
    t.throws(() => sshTargetOf(text), { code: 'E_TARGET_NAME' }, `'${text}'`);
});

t.test('what is quoted is one word, whatever is in it', async t => {
  const shell = localShell('here');
  for (const text of ['plain', "it's", '$HOME `id` "x" \\', 'two\nlines', "''"])
    t.equal(await shell.run(`printf %s ${quoted(text)}`), text);
});

t.test('a script reads what it is sent, in pieces', async t => {
  const pieces = ['a', 'b', 'c'].map(text => Buffer.from(text.repeat(100_000)));
  t.equal((await localShell('here').run('wc -c', false, pieces)).trim(), '300000');
});

t.test('what a script holds is on no command line, which everybody may read', async t => {
  const said = await localShell('here').run("secret=hunter2; tr '\\0' ' ' < /proc/$$/cmdline");
  t.match(said, /^sh -c .*dd bs=1/);
  t.notMatch(said, /hunter2/);
});

t.test('of a script that is cut off nothing is done', async t => {
  const { command, input } = byInput("echo begun\ncat <<'END'\nlines\nEND\necho ended");
  const parts: Buffer[] = [];
  for await (const part of input) parts.push(part);
  const whole = Buffer.concat(parts);
  const done = (bytes: number) =>
    spawnSync('sh', ['-c', command], { input: whole.subarray(0, bytes), encoding: 'utf8' });
  t.match(done(whole.length), { status: 0, stdout: 'begun\nlines\nended\n' });
  for (let bytes = 0; bytes <= whole.length - 2; bytes++) {
    const { status, stdout } = done(bytes);
    t.equal(stdout, '', `${bytes} of ${whole.length} bytes`);
    t.not(status, 0);
  }
});

t.test('what a script wrote to stderr is the error, with where that was', async t => {
  await t.rejects(localShell('the robot').run('echo broken >&2; exit 3'), {
    code: 'E_TARGET_SCRIPT',
    message: 'on the robot: broken (exit code 3)',
  });
  const pieces = [Buffer.alloc(10_000_000)];
  await t.rejects(
    localShell('the robot').run('exit 4', false, pieces),
    { code: 'E_TARGET_SCRIPT' },
    'also where it reads nothing',
  );
});

t.test('a script that refuses says by itself with what code, and what to do', async t => {
  const script = `echo 'a warning of its shell' >&2; printf '%s\\n' E_NOT_NOW 'not now' 'come later' >&2; exit ${refusedExit}`;
  await t.rejects(localShell('the robot').run(script), {
    code: 'E_NOT_NOW',
    message: 'on the robot: not now',
    hint: 'come later',
  });
});

t.test('Ctrl-C ends what runs', async t => {
  const interrupt = new AbortController();
  const running = localShell('here', interrupt.signal).run('exec sleep 60');
  setTimeout(() => interrupt.abort(), 50);
  await t.rejects(running, { code: 'E_INTERRUPTED', exit: 'interrupt' });
});

t.test('a machine that is not there is said so', async t => {
  // Port 1 of this machine: refused at once. Where there is no ssh at all, that is the error.
  const shell = sshShell({ destination: '127.0.0.1', port: 1 }, () => true);
  t.equal(shell.where, '127.0.0.1:1');
  await t.rejects(shell.run('true'), { code: /E_TARGET_DOWN|E_SSH_MISSING/, hint: /ssh|install/i });
});
