import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseTarget } from '../../src/targets/target.js';

t.test('a folder, a robot behind OpenSSH, a robot behind a broker', async t => {
  t.same(parseTarget('robot'), { kind: 'folder', path: 'robot' });
  t.same(parseTarget('../a/b@c'), { kind: 'folder', path: '../a/b@c' });
  t.same(parseTarget('C:\\robot'), { kind: 'folder', path: 'C:\\robot' });
  t.same(parseTarget('pi@desk.local'), { kind: 'ssh', destination: 'pi@desk.local', port: undefined });
  t.same(parseTarget('pi@10.0.0.7:2222'), { kind: 'ssh', destination: 'pi@10.0.0.7', port: 2222 });
  t.same(parseTarget('pi@[fe80::1%eth0]:22'), { kind: 'ssh', destination: 'pi@fe80::1%eth0', port: 22 });
  t.same(parseTarget('ssh://desk'), { kind: 'ssh', destination: 'desk', port: undefined }, 'a name of ssh_config');
  t.same(parseTarget('mqtt://broker.lan/lab-3'), { kind: 'mqtt', broker: 'mqtt://broker.lan', name: 'lab-3' });
  t.same(parseTarget('mqtts://me:secret@broker.lan:8884/lab_3'), {
    kind: 'mqtt',
    broker: 'mqtts://me:secret@broker.lan:8884',
    name: 'lab_3',
  });
});

t.test('a folder that is there is meant, whatever its name looks like', async t => {
  const folder = t.testdir();
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  mkdirSync(join(folder, 'pi@desk'));
  t.same(parseTarget('pi@desk'), { kind: 'folder', path: 'pi@desk' });
});

t.test('what ssh would take for an option, or a shell for more, is no target', async t => {
  for (const text of [
    '',
    '-oProxyCommand=x@y',
    'pi@-oProxyCommand=x',
    'ssh://-oProxyCommand=x',
    'a b@c',
    'pi@host;x',
    'pi@$(x)',
    '@host',
    'pi@',
    'pi@host:0',
    'pi@host:99999',
    'pi@host:ssh',
    'a@b@c',
    'http://x/y',
    'mqtt://x',
    'mqtt:///y',
    'mqtt://x/a/b',
    'mqtt://x/#',
    'mqtt://x/+',
  ])
    t.throws(() => parseTarget(text), { code: 'E_TARGET', exit: 'usage', hint: /user@host/ }, text);
});
