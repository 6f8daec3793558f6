import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { serveControl } from '@sim2servo/deploy/robot/control-socket';
import { robotPlaces } from '@sim2servo/deploy/robot/robot-places';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

t.test('the arm holds, without a question, and it is said how the run went', async t => {
  const root = mkdtempSync(join(tmpdir(), 'stop-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const { socket } = robotPlaces(root);
  mkdirSync(dirname(socket), { recursive: true });
  const asked: string[] = [];
  const server = await serveControl(socket, async ({ do: what }) => {
    asked.push(what);
    return {
      motion: 'waiting',
      robot: 'so101',
      words: 'interrupted: somebody asked for it; 52 ticks in 1.6 s, 0 missed; the arm holds',
      ticks: 60,
      pid: 1,
      firstTickAtMs: 0,
      rssBytes: 1,
      lostNotifications: 0,
    };
  });
  const said = await kit(`stop ${root}`);
  t.equal(said.exit, 0, said.err);
  t.match(said.out, /so101 is waiting; the last run: interrupted: somebody asked for it; .* the arm holds/);
  t.match(JSON.parse((await kit(`stop ${root} --json`)).out), { motion: 'waiting' });
  t.same(asked, ['stop', 'stop']);
  await server.close();
  t.match(errorOf(await kit(`stop ${root} --json`)), { code: 'E_SERVICE_ABSENT' });
});
