import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { HilReport } from '@sim2servo/hil-tests/report/report';
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import t from 'tap';
import { errorOf, kit, kitProcess, needsLinux } from '../test-io.js';

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
  const { realTime, safety, faults, swaps, passed } = JSON.parse(said.out) as HilReport;
  t.ok(passed);
  t.ok(safety.length >= 10);
  t.ok(faults.length >= 25);
  t.match(swaps, [
    { rig: 'avr-lockstep', takeovers: 15, missed: 0 },
    { rig: 'avr', takeovers: 15 },
  ]);
  const { killed, phases, ticks, stale, board } = realTime!;
  t.ok(killed!.stoppedMs <= killed!.limitMs);
  t.ok(killed!.log.records > 0);
  t.equal(phases.inferUs.whole.count, ticks - stale, 'each inference was timed');
  t.equal(phases.tickUs.runs.length, 3);
  // Latency inside the board is only told of where the machine kept up.
  if (board !== undefined) t.ok(board.sensorToRegisterUs.count > 50);
  t.match(readFileSync(`${folder}/avr/report.md`, 'utf8'), /`kill -9` in mid-motion: ok, the arm stood \d+ ms after/);
  t.match(realTime!.punctual, { name: 'the loop keeps 50 Hz', passed: true, detail: '' });
  const html = readFileSync(`${folder}/avr/report.html`, 'utf8');
  t.match(html, /prefers-color-scheme: dark/);
  t.ok(html.split('<svg').length > 4, 'histograms are inside');
  t.notMatch(html, /<(?:script|link|img)|src=|url\(/, 'it needs nothing else');
});

t.test(
  'an arm on a port: announced, checked, measured; servos on a pseudo-terminal stand in for it',
  needsLinux,
  async t => {
    const rig = await startBusRig({ robot: 'so101' });
    t.teardown(() => rig.stop());
    const unasked = await kit(`hil --rig serial:${rig.path} --robot so101 --report ${folder}/own`);
    t.equal(unasked.exit, 2);
    t.match(unasked.err, /About to move so101 on .*: it swings each joint by 0\.3 rad/);
    t.equal((await rig.report()).lastHostByteUs, Number.NEGATIVE_INFINITY, 'nothing was opened');
    const said = await kit(
      `hil --rig serial:${rig.path} --robot so101 --yes --seconds 3 --report ${folder}/own --json`,
    );
    const { arms, realTime, unmeasured } = JSON.parse(said.out) as HilReport;
    t.same(
      arms.flatMap(({ checks }) => checks.filter(({ passed }) => !passed)),
      [],
    );
    t.ok(arms[0]!.checks.length >= 8);
    // A machine that is too busy for the arm says so; then nothing was measured, or the loop did not keep its rate.
    if (unmeasured === '') t.ok(realTime!.ticks > 250);
    t.equal(said.exit, realTime?.punctual?.passed === true ? 0 : 1);
  },
);

t.test('compare: nothing got worse from a report to itself; a failure, and what is no report', async t => {
  const same = await kit(`hil compare ${folder}/ideal ${folder}/ideal/report.json`);
  t.equal(same.exit, 0);
  t.equal(same.out.trim(), 'nothing got worse');
  const report = JSON.parse(readFileSync(`${folder}/ideal/report.json`, 'utf8')) as HilReport;
  const spoilt = { ...report, arms: report.arms.map(arm => ({ ...arm, checks: arm.checks.slice(1) })) };
  writeFileSync(`${folder}/spoilt.json`, JSON.stringify(spoilt));
  const worse = await kit(`hil compare ${folder}/ideal ${folder}/spoilt.json --json`);
  t.equal(worse.exit, 1);
  t.match(JSON.parse(worse.out), { worse: [{ what: /nothing moves because a host came/, after: 'was not tested' }] });
  t.equal(errorOf(await kit(`hil compare ${folder}/ideal ${folder}/nowhere --json`)).code, 'E_REPORT');
  writeFileSync(`${folder}/other.json`, JSON.stringify({ ...report, rig: 'bus' }));
  const other = await kit(`hil compare ${folder}/ideal ${folder}/other.json --json`);
  t.match(errorOf(other), { code: 'E_REPORT_PAIR', message: /same rig: ideal, and then bus/ });
  t.equal(other.exit, 2);
});

t.test('--kind says which robot is on rig bus, and contradicts what says another', async t => {
  for (const flags of ['--kind feetech', '--rig bus --kind feetech --robot koch']) {
    const said = await kit(`hil ${flags} --report ${folder}/kind --json`);
    t.equal(said.exit, 2);
    t.equal(errorOf(said).code, 'E_RIG_KIND');
  }
});

t.test('a report that could not be written is known before anything is opened', async t => {
  const said = await kit('hil --rig serial:/dev/ttyNOWHERE --yes --report /dev/null/x --json');
  t.match(errorOf(said), { code: 'E_REPORT', message: /\/dev\/null\/x/, hint: /--report/ });
  t.equal(said.exit, 2);
});

t.test('a report that is not whole is not compared', async t => {
  const whole = readFileSync(`${folder}/ideal/report.json`, 'utf8');
  const { arms: _, ...rest } = JSON.parse(whole) as HilReport;
  writeFileSync(`${folder}/part.json`, JSON.stringify(rest));
  const said = await kit(`hil compare ${folder}/ideal ${folder}/part.json --json`);
  t.match(errorOf(said), { code: 'E_REPORT', message: /part\.json is not whole: arms:/ });
  t.equal(said.exit, 2);
});

t.test('an unknown rig, and a board of your own that nobody allowed to move, or that is not there', async t => {
  const toy = await kit(`hil --rig toy --report ${folder}/toy --json`);
  t.equal(toy.exit, 2);
  t.match(errorOf(toy), { code: 'E_RIG_UNKNOWN', hint: /kit hil also all/ });
  const unasked = await kit(`hil --rig serial:/dev/ttyNOWHERE --report ${folder}/own`);
  t.equal(unasked.exit, 2);
  t.match(unasked.err, /About to move desk2 on \/dev\/ttyNOWHERE/);
  const absent = await kit(`hil --rig serial:/dev/ttyNOWHERE --yes --report ${folder}/own --json`);
  t.equal(absent.exit, 3);
  t.equal(errorOf(absent).code, 'E_PORT_ABSENT');
});

/** What the servo with id 1 is asked, of its manual, and how its answer begins. */
const pings = {
  feetech: { ask: '\\377\\377\\001\\002\\001\\373', answer: 'ff ff 01 02 00 fc' },
  dynamixel: {
    ask: '\\377\\377\\375\\000\\001\\003\\000\\001\\031\\116',
    answer: 'ff ff fd 00 01 07 00 55 00',
  },
} as const;

t.test('kit hil up serves its servos to a shell that knows nothing of them, until Ctrl-C', needsLinux, async t => {
  for (const [kind, { ask, answer }] of Object.entries(pings)) {
    let heard = '';
    const said = await kitProcess(['hil', 'up', '--rig', 'bus', '--kind', kind, '--servos', '2', '--baud', '115200'], {
      onErr: (text, kill) => {
        const [, port] = /ids 1 to 2, are on (\S+) at 115200 baud/.exec(text) ?? [];
        if (port === undefined || heard !== '') return;
        const bytes = answer.split(' ').length;
        const program = `exec 3<>"$1"; stty raw -echo 115200 <&3; printf '${ask}' >&3; timeout 5 dd bs=1 count=${bytes} <&3 2>/dev/null | od -An -tx1`;
        heard = spawnSync('sh', ['-c', program, 'sh', port], { encoding: 'utf8' }).stdout.trim() || 'nothing';
        kill('SIGINT');
      },
    });
    t.equal(heard, answer, kind);
    t.match(said.out, /^\/dev\/pts\/\d+\n$/, 'the port alone is on stdout');
    t.match(said.err, /It was up to [\d.]+ ms behind the wall clock/);
    t.equal(said.exit, 130);
  }
});

t.test('kit hil up takes its own options', async t => {
  const said = await kit('hil up --robot nobody --json');
  t.equal(said.exit, 2);
  t.equal(errorOf(said).code, 'E_ROBOT_UNKNOWN');
  const unserved = await kit('hil up --rig ideal --json');
  t.equal(unserved.exit, 2);
  t.equal(errorOf(unserved).code, 'E_RIG_SERVE');
  for (const [flags, code] of [
    ['--rig bus --kind feetech --servos 253', 'E_USAGE'],
    ['--rig bus --kind feetech --servos 0', 'E_USAGE'],
    ['--rig bus --servos 3', 'E_RIG_KIND'],
    ['--baud 57600', 'E_RIG_KIND'],
    ['--rig bus --kind feetech --robot koch', 'E_RIG_KIND'],
  ] as const) {
    const refused = await kit(`hil up ${flags} --json`);
    t.equal(errorOf(refused).code, code, flags);
    t.equal(refused.exit, 2, flags);
  }
});
