import t from 'tap';
import { sshCommand, sshSettings } from '../../src/targets/ssh-settings.js';

t.test('nothing of the user’s own sessions is in the way, and a silent network is noticed', async t => {
  const settings = sshSettings({});
  for (const wanted of ['RemoteCommand=none', 'ClearAllForwardings=yes', 'ServerAliveInterval=5', 'ConnectTimeout=15'])
    t.ok(settings.includes(`-o${wanted}`), wanted);
  t.notOk(settings.includes('-F'));
  t.notOk(
    settings.some(text => text.includes('BatchMode')),
    'a person may be asked',
  );
});

t.test('another configuration comes first, and where nobody sits nobody is asked', async t => {
  const settings = sshSettings({ sshConfig: 'conf', batch: true }, { ControlMaster: 'auto' });
  t.same(settings.slice(0, 2), ['-F', 'conf']);
  t.ok(settings.includes('-oBatchMode=yes'));
  t.equal(settings.at(-1), '-oControlMaster=auto');
});

t.test('what follows -- is no option, whatever it looks like', async t => {
  t.same(sshCommand({ destination: 'pi@arm', port: 2222 }, 'true'), ['-p', '2222', '--', 'pi@arm', 'true']);
  t.same(sshCommand({ destination: 'arm', port: undefined }, 'true'), ['--', 'arm', 'true']);
});
