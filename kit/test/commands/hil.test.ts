import { readFileSync } from 'node:fs';
import type { HilReport } from '@sim2servo/hil-tests/report/report';
import t from 'tap';
import { errorOf, kit, needsLinux } from '../test-io.js';

const folder = t.testdir({});

t.test('the ideal rig passes every check, and the report says so to people and programs', async t => {
  const said = await kit(`hil --rig ideal --report ${folder}/ideal --json`);
  t.equal(said.exit, 0, said.out);
  const report = JSON.parse(said.out) as HilReport;
  t.ok(report.passed);
  const [{ checks }] = report.arms as [HilReport['arms'][number]];
  t.ok(checks.length >= 8);
  t.same(JSON.parse(readFileSync(`${folder}/ideal/report.json`, 'utf8')), report);
  const text = readFileSync(`${folder}/ideal/report.md`, 'utf8');
  for (const { name } of checks) t.ok(text.includes(`| ok | ${name} |`), name);
});

t.test('the emulated board: checks, faults, kill -9 and latencies', needsLinux, async t => {
  const said = await kit(`hil --rig avr --seconds 6 --report ${folder}/avr --json`);
  t.equal(said.exit, 0, said.out);
  const { realTime, safety, faults, passed } = JSON.parse(said.out) as HilReport;
  t.ok(passed);
  t.ok(safety.length >= 10);
  t.ok(faults.length >= 25);
  const { killed, phases, ticks, board } = realTime!;
  t.ok(killed!.stoppedMs <= killed!.limitMs);
  t.ok(killed!.log.records > 0);
  t.equal(phases.inferUs.whole.count, ticks, 'each inference was timed');
  t.equal(phases.tickUs.runs.length, 3);
  // Latency inside the board is only told of where the machine kept up.
  if (board !== undefined) t.ok(board.sensorToRegisterUs.count > 50);
  t.match(readFileSync(`${folder}/avr/report.md`, 'utf8'), /`kill -9` in mid-motion: ok\. The arm stood \d+ ms after/);
  const html = readFileSync(`${folder}/avr/report.html`, 'utf8');
  t.match(html, /prefers-color-scheme: dark/);
  t.ok(html.split('<svg').length > 4, 'histograms are inside');
  t.notMatch(html, /<(?:script|link|img)|src=|url\(/, 'it needs nothing else');
});

t.test('an unknown rig, and a board of your own that nobody allowed to move, or that is not there', async t => {
  const toy = await kit(`hil --rig toy --report ${folder}/toy --json`);
  t.equal(toy.exit, 2);
  t.equal(errorOf(toy).code, 'E_RIG_UNKNOWN');
  const unasked = await kit(`hil --rig serial:/dev/ttyNOWHERE --report ${folder}/own`);
  t.equal(unasked.exit, 2);
  t.match(unasked.err, /About to move desk2 on \/dev\/ttyNOWHERE/);
  const absent = await kit(`hil --rig serial:/dev/ttyNOWHERE --yes --report ${folder}/own --json`);
  t.equal(absent.exit, 3);
  t.equal(errorOf(absent).code, 'E_PORT_ABSENT');
});

t.test('kit hil up takes its own options', async t => {
  const said = await kit('hil up --robot nobody --json');
  t.equal(said.exit, 2);
  t.equal(errorOf(said).code, 'E_ROBOT_UNKNOWN');
  const unserved = await kit('hil up --rig ideal --json');
  t.equal(unserved.exit, 2);
  t.equal(errorOf(unserved).code, 'E_RIG_SERVE');
});
