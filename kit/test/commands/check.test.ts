import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { errorOf, kit } from '../test-io.js';

t.test('a shipped robot by its name: a line for each check, the sizes and the bus among them', async t => {
  const said = await kit('check so101');
  t.equal(said.exit, 0, said.out);
  const lines = said.out.split('\n');
  t.match(lines[0], /^so101 in .*: 6 joints on feetech$/);
  t.ok(lines.slice(1).every(line => line.startsWith('ok    ')));
  t.match(
    said.out,
    '39 numbers (position, velocity, lag, goal, goalErrorTurned, goalErrorTurnedFine, actions, the last 2) and 6',
  );
  t.match(said.out, '6 servos at 1000000 baud need 7.2 of 20 ms');
});

t.test('a bus that is too slow for 50 Hz fails with the arithmetic, and the command leaves with 1', async t => {
  const folder = join(t.testdir(), 'slow');
  cpSync(loadRobot('so101').folder, folder, { recursive: true });
  const path = join(folder, 'site.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('1000000', '57600'));
  const said = await kit(['check', folder]);
  t.equal(said.exit, 1);
  const failed = said.out.split('\n').filter(line => line.startsWith('FAIL'));
  t.equal(failed.length, 1);
  t.match(failed[0], /^FAIL {2}the bus keeps 50 Hz: .* 20000 µs each, and this bus needs \d+ µs/);
});

t.test('what cannot be loaded is an error', async t => {
  const said = await kit(['--json', 'check', '/nowhere']);
  t.equal(said.exit, 2);
  t.equal(errorOf(said).code, 'E_ROBOT_UNKNOWN');
});
