import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ControlRequest, ServiceState } from '@sim2servo/deploy/robot/control-protocol';
import { serveControl } from '@sim2servo/deploy/robot/control-socket';
import { robotPlaces } from '@sim2servo/deploy/robot/robot-places';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

const state: ServiceState = {
  motion: 'waiting',
  robot: 'so101',
  policy: 'ab'.repeat(32),
  words: 'nothing was driven yet',
  ticks: 5,
  pid: 1,
  firstTickAtMs: 0,
  rssBytes: 1,
  lostNotifications: 0,
};

/** A folder that a service is installed in, which answers as `answer` says. */
async function robotWith(answer: (request: ControlRequest) => ServiceState) {
  const root = mkdtempSync(join(tmpdir(), 'start-'));
  const { socket } = robotPlaces(root);
  mkdirSync(dirname(socket), { recursive: true });
  const asked: ControlRequest[] = [];
  const server = await serveControl(socket, async request => {
    asked.push(request);
    return answer(request);
  });
  t.teardown(async () => {
    await server.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { root, asked };
}

t.test('it asks before anything moves: which arm, with which policy, how it is stopped', async t => {
  const { root, asked } = await robotWith(({ do: what }) => ({
    ...state,
    motion: what === 'start' ? 'driving' : 'waiting',
  }));
  t.match(errorOf(await kit(`start ${root} --json`)), { code: 'E_NOT_CONFIRMED' });
  t.equal((await kit(`start ${root}`, false)).exit, 1);
  t.same(asked, [{ do: 'state' }, { do: 'state' }], 'nobody was told to start');
  const said = await kit(`start ${root} --seconds 3`, true);
  t.equal(said.exit, 0, said.err);
  t.match(said.err, /About to move so101 at .* with policy abababababab…, for 3 s/);
  t.match(said.err, /kit stop/);
  t.match(said.out, /so101 is driving, policy abababababab…\nnext: kit stop /);
  t.same(asked.slice(2), [{ do: 'state' }, { do: 'start', seconds: 3 }]);
});

t.test('what the service refuses keeps its code and its exit', async t => {
  const { root } = await robotWith(request => {
    if (request.do === 'state') return state;
    throw new KitError('E_PORT_ABSENT', 'there is no port /dev/ttyUSB0', 'plug it in', 'noDevice');
  });
  const said = await kit(`start ${root} --yes --json`);
  t.equal(said.exit, 3);
  t.match(errorOf(said), { code: 'E_PORT_ABSENT', hint: 'plug it in' });
});

t.test('where nobody listens, and what is no place', async t => {
  t.match(errorOf(await kit(`start ${t.testdir({})} --yes --json`)), {
    code: 'E_SERVICE_ABSENT',
    hint: /systemctl start/,
  });
  t.match(errorOf(await kit('start pi@arm:x --yes --json')), { code: 'E_TARGET_NAME' });
  t.match(errorOf(await kit('start pi@arm --seconds 0 --json')), { code: 'E_USAGE' });
});
