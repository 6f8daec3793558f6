import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { tellService } from '../../src/provision/tell-service.js';
import { serveControl } from '../../src/robot/control-socket.js';
import { robotPlaces } from '../../src/robot/robot-places.js';
import { hasOpenSsh, startSshServer } from '../support/ssh-server.js';

t.test('a folder is asked at its own socket', async t => {
  const root = mkdtempSync(join(tmpdir(), 'tell-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const { socket } = robotPlaces(root);
  mkdirSync(dirname(socket), { recursive: true });
  const error = new KitError('E_ALREADY_DRIVING', 'it is driving already', 'kit stop', 'usage');
  const server = await serveControl(socket, () => Promise.reject(error));
  await t.rejects(tellService(root, { do: 'start' }), error);
  await server.close();
  await t.rejects(tellService(root, { do: 'start' }), { code: 'E_SERVICE_ABSENT' });
});

t.test('what names neither a folder nor a machine is refused', async t => {
  await t.rejects(tellService('pi@arm:ssh', { do: 'stop' }), { code: 'E_TARGET_NAME' });
});

if (hasOpenSsh)
  t.test('a machine without the program says that it was never provisioned', async t => {
    const server = await startSshServer();
    t.teardown(() => server.stop());
    await t.rejects(tellService(server.target, { do: 'state' }, { sshConfig: server.configPath }), {
      code: 'E_TARGET_SCRIPT',
      message: /sim2servo-robot is not installed: kit provision does/,
    });
  });
else t.comment('over ssh: not tested, as OpenSSH is not installed');
