import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ServoLink } from '@sim2servo/firmware-bridge/servo-link';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import type { TransitionRecord } from '@sim2servo/models/transition';
import t from 'tap';
import { listedGoals } from '../src/goal-source.js';
import { readLog } from '../src/log-reader.js';
import { logInfo, recoverLog } from '../src/logs.js';
import { deployToFolder } from '../src/releases/deploy-to-folder.js';
import { loadPolicy, type RunOptions, runPolicy } from '../src/run-policy.js';
import { goal, robot } from './support/arm-fixture.js';
import { writeSmallBundle } from './support/small-bundle.js';
import { VirtualBoard, VirtualClock } from './support/virtual-board.js';

const folder = t.testdir();
const bundle = join(folder, 'bundle');
const digest = writeSmallBundle(bundle, robot);

interface Bench {
  readonly board: VirtualBoard;
  readonly calls: string[];
  readonly options: RunOptions;
}

function bench(changes: Partial<RunOptions> = {}): Bench {
  const clock = new VirtualClock();
  const board = new VirtualBoard(clock, { position: [0.3, 1.4] });
  const calls: string[] = [];
  const link: ServoLink = {
    async open() {
      calls.push('open');
      return board;
    },
    async close() {
      calls.push('close');
    },
  };
  return {
    board,
    calls,
    options: {
      robot,
      policyDir: bundle,
      link,
      clock,
      goals: listedGoals([goal, goal], 100),
      virtualTime: true,
      ...changes,
    },
  };
}

t.test('a run ends with a held arm, a closed link, a whole log and a report', async t => {
  const logPath = join(folder, 'run.mcap');
  const { options, board, calls } = bench({ logPath });
  const report = await runPolicy(options);
  t.equal(report.end.kind, 'done');
  t.same(calls, ['open', 'close']);
  t.same(board.halts, ['hold']);
  t.equal(report.targets.length, 2);
  t.equal(report.meanErrorM, (report.targets[0]!.errorM + report.targets[1]!.errorM) / 2);
  t.equal(report.reached, report.targets.filter(target => target.reached).length);
  t.match(report.policy, { name: 'small', digest, backend: 'native', controlRateHz: 50 });
  t.equal(report.log?.records, report.ticks);
  const info = logInfo(logPath);
  t.ok(info.complete);
  t.equal(info.records, report.ticks);
  t.same(info.header, {
    robot: 'desk2',
    specSha256: robot.specSha256,
    policyDigest: digest,
    task: 'reach',
    controlRateHz: '50',
  });
  t.ok(JSON.parse(JSON.stringify(report)), 'the report is JSON');
});

t.test('a release store is followed', async t => {
  const store = join(folder, 'store');
  await deployToFolder(bundle, store);
  const { options } = bench({ policyDir: store, seconds: 0.5 });
  t.equal((await runPolicy(options)).policy.digest, digest);
});

t.test('exploration is seeded, changes the actions, and stays behind the shield', async t => {
  const run = async (name: string, seed: number) => {
    const logPath = join(folder, name);
    const { options } = bench({ logPath, exploration: { sigma: 0.3, random: new Random(seed) } });
    await runPolicy(options);
    const records: TransitionRecord[] = [];
    readLog(logPath, { record: record => records.push(record) });
    return records.map(record => [...Array.from(record.actionRequested), ...Array.from(record.actionExecuted)]);
  };
  const one = await run('a.mcap', 1);
  t.same(await run('b.mcap', 1), one);
  t.notSame(await run('c.mcap', 2), one);
  t.ok(one.flat().every(value => Math.abs(value) <= 1));
});

t.test('the signal holds the arm and finishes the log', async t => {
  const abort = new AbortController();
  const logPath = join(folder, 'aborted.mcap');
  const { options, board } = bench({ logPath, signal: abort.signal, onStatus: s => s.ticks > 60 && abort.abort() });
  const report = await runPolicy(options);
  t.equal(report.end.kind, 'interrupted');
  t.equal(report.end.error, undefined);
  t.same(board.halts, ['hold']);
  t.ok(logInfo(logPath).complete);
  t.equal(logInfo(logPath).records, report.ticks);
});

t.test('a safety stop comes back as a report with the error to throw', async t => {
  const logPath = join(folder, 'stopped.mcap');
  const { options, board } = bench({ logPath });
  board.loses = index => index > 90;
  const report = await runPolicy(options);
  t.match(report.end, { kind: 'stopped', error: { code: 'E_SAFETY_STOP', exit: 'safetyStop' } });
  t.ok(logInfo(logPath).complete, 'nothing that was recorded is lost');
});

t.test('a port that vanishes mid-run loses no record', async t => {
  const logPath = join(folder, 'vanished.mcap');
  const { options, board, calls } = bench({
    logPath,
    onStatus: status => {
      if (status.ticks > 60)
        board.failure = new KitError('E_PORT_CLOSED', 'the port went away', 'plug it in', 'noDevice');
    },
  });
  const report = await runPolicy(options);
  t.match(report.end, { kind: 'failed', error: { code: 'E_PORT_CLOSED', exit: 'noDevice' } });
  t.same(calls, ['open', 'close']);
  t.equal(logInfo(logPath).records, report.ticks);
  t.ok(logInfo(logPath).complete);
});

t.test('what is wrong is said before the port is opened', async t => {
  const spoilt = join(folder, 'spoilt');
  writeSmallBundle(spoilt, robot);
  const golden = readFileSync(join(spoilt, 'golden.json'));
  golden[20]! ^= 1;
  writeFileSync(join(spoilt, 'golden.json'), golden);
  const other = { ...robot, spec: { ...robot.spec, name: 'desk3' } };
  const retuned = { ...robot, specSha256: '0'.repeat(64) };
  for (const [changes, expected] of [
    [{ policyDir: spoilt }, { code: 'E_BUNDLE_DIGEST' }],
    [{ policyDir: folder }, { code: 'E_POLICY_MISSING', exit: 'usage' }],
    [{ robot: other }, { code: 'E_BUNDLE_ROBOT', exit: 'usage', message: /'desk2', not for 'desk3'/ }],
    [{ robot: retuned }, { code: 'E_BUNDLE_SPEC' }],
    [{ seconds: 0 }, { code: 'E_SECONDS', exit: 'usage' }],
    [{ exploration: { sigma: 7, random: new Random(1) } }, { code: 'E_EXPLORATION' }],
  ] as const) {
    const { options, calls, board } = bench(changes);
    await t.rejects(runPolicy(options), expected);
    t.same(calls, []);
    t.equal(board.arms, 0);
  }
  t.throws(() => loadPolicy(other, bundle), { code: 'E_BUNDLE_ROBOT' });
});

t.test('a log that can not be created moves nothing and closes the link', async t => {
  const taken = join(folder, 'taken');
  writeFileSync(taken, '');
  const { options, calls, board } = bench({ logPath: join(taken, 'x.mcap') });
  await t.rejects(runPolicy(options), { code: 'E_LOG_WRITE', exit: 'usage' });
  t.same(calls, ['open', 'close']);
  t.equal(board.arms, 0);
});

t.test('a policy at a rate that the board does not have moves nothing and closes the link', async t => {
  const fast = join(folder, 'fast');
  writeSmallBundle(fast, robot, undefined, { controlRateHz: 120 });
  const { options, calls, board } = bench({ policyDir: fast, logPath: join(folder, 'fast.mcap') });
  await t.rejects(runPolicy(options), { code: 'E_RATE_BUS', exit: 'usage' });
  t.same(calls, ['open', 'close']);
  t.equal(board.arms, 0);
});

t.test('a disk that fills up mid-run holds the arm, says so, and keeps what was written', async t => {
  const logPath = join(folder, 'full.mcap');
  const child = fileURLToPath(new URL('./support/record-until-full.js', import.meta.url));
  // A limit on file sizes fails a write as a full disk does, without a file system of our own: Node ignores the limit's signal. The test
  // runner's hooks in the child would die of it, so they stay out.
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `unset NODE_OPTIONS; ulimit -f 2000; exec "$0" "$@"`,
    process.execPath,
    child,
    bundle,
    logPath,
  ]);
  const end = JSON.parse(stdout) as Record<string, unknown>;
  t.match(end, {
    kind: 'failed',
    code: 'E_LOG_WRITE',
    message: /EFBIG|ENOSPC|too large/i,
    hint: /kit logs recover/,
    halts: ['hold'],
  });
  const before = logInfo(logPath);
  t.notOk(before.complete);
  t.equal(before.lostBytes, 0, 'cut back to the last whole chunk');
  t.ok(before.records > 0);
  recoverLog(logPath);
  t.equal(logInfo(logPath).records, before.records);
});
