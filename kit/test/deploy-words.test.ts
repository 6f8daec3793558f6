import { parseTarget } from '@sim2servo/deploy/targets/target';
import { shortDigest } from '@sim2servo/models/digest';
import { emptyState } from '@sim2servo/runtime/releases/store-state';
import t from 'tap';
import { historyWords, nextCommand, reportWords, size, statusWords, stepLine } from '../src/deploy-words.js';

const digest = 'ab'.repeat(32);
const status = { runtimeVersion: '0.1.0', platform: 'linux-arm64', state: emptyState, freeBytes: 3 * 2 ** 30 };
const entry = { at: '2026-11-21T10:00:00.000Z', id: 'a', digest, words: 'good', seconds: 5.004, by: 'me' } as const;

t.test('sizes and digests are short', async t => {
  t.same([0, 1023, 1024, 1536, 2 ** 20, 2.5 * 2 ** 20].map(size), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '2.5 MiB',
  ]);
  t.equal(shortDigest(digest), 'abababababab…');
});

t.test('each step is one line with its time', async t => {
  const hello = { ...status, protocol: 1, incoming: '/x', robot: 'desk2', running: { digest, sinceS: 61 } };
  for (const [step, seconds, line] of [
    [{ kind: 'checked', name: 'reach', digest, signed: true }, 0.021, /^checked +reach abab.*, signed {2}\(0\.02 s\)$/],
    [
      { kind: 'connected', hello },
      0.4,
      /^connected +desk2, runtime 0\.1\.0 on linux-arm64; no policy yet; abab.* drives/,
    ],
    [{ kind: 'lacking', lacking: 3, files: 4, bytes: 2048 }, 0.1, /^lacking +3 of 4 files, 2\.0 KiB {2}\(0\.10 s\)$/],
    [{ kind: 'lacking', lacking: 0, files: 4, bytes: 0 }, 0.1, /^lacking +0 of 4 files {2}\(/],
    [{ kind: 'sending', bytes: 1024, ofBytes: 3072 }, 2, /^sending +1\.0 KiB of 3\.0 KiB at 512 B\/s, 4 s left$/],
    [{ kind: 'sent', bytes: 4096, ofBytes: 4096 }, 2, /^sent +4\.0 KiB at 2\.0 KiB\/s {2}\(2\.00 s\)$/],
    [{ kind: 'robot', entry: { ...entry, event: 'shadow' } }, 15.4, /^shadow +good {2}\(15 s\)$/],
  ] as const)
    t.match(stepLine(step, seconds), line);
});

t.test('what a robot says neither moves the cursor nor breaks a line', async t => {
  const words = 'a\u001b[2Jb\nc';
  const kept = 'a·[2Jb·c';
  t.match(stepLine({ kind: 'robot', entry: { ...entry, event: 'refused', words } }, 1), kept);
  t.match(historyWords([{ ...entry, event: 'refused', words, by: 'x\u001bc' }]), /a·\[2Jb·c {2}\(5\.00 s, x·c\)$/);
  t.match(statusWords({ ...status, robot: words, lastError: { code: 'E', message: words } }), kept);
  const trial = {
    digest,
    id: 'a',
    words,
    driven: true,
    previous: undefined,
    files: 4,
    sentFiles: 4,
    sentBytes: 1,
    figures: {},
  };
  for (const outcome of ['current', 'waiting', 'undecided', 'rolled-back'] as const)
    t.match(reportWords({ ...trial, outcome }, 'x', 'kit run'), kept, outcome);
});

t.test('where the loop that drives can’t try it the next command ends that run, by what reaches the robot', async t => {
  const folder = { kind: 'folder', path: '/x' } as const;
  const ssh = parseTarget('pi@desk');
  const mqtt = parseTarget('mqtt://broker/desk');
  const hindered = { outcome: 'waiting', driven: true } as const;
  t.equal(nextCommand(hindered, folder, '/x', 'kit run'), 'end the run that drives the arm, then kit run');
  t.equal(nextCommand(hindered, ssh, 'pi@desk', 'kit run'), 'kit stop pi@desk, then kit start pi@desk');
  t.match(nextCommand(hindered, mqtt, 'mqtt://broker/desk', 'kit run'), /kit stop/);
  for (const report of [
    { outcome: 'waiting', driven: false } as const,
    { outcome: 'committed', driven: true } as const,
  ]) {
    t.equal(nextCommand(report, folder, '/x', 'kit run'), 'kit run');
    t.equal(nextCommand(report, ssh, 'pi@desk', 'kit run'), 'kit deploy status --to pi@desk');
  }
});

t.test('what came of it ends with the next command', async t => {
  const report = {
    digest,
    id: 'a',
    outcome: 'committed',
    words: 'it drives',
    driven: true,
    previous: undefined,
    files: 4,
    sentFiles: 4,
    sentBytes: 10,
    figures: { goldenMaxError: 2e-6, inferP99Us: 90.4 },
  } as const;
  const words = reportWords(report, 'pi@desk', 'kit run');
  t.match(words, /^deployed abab.* to pi@desk: it was tried, and drives\n/);
  t.match(words, /golden vectors within 2\.0e-6, inference p99 90 µs\nit is the first policy there\nnext: kit run$/);
  t.match(
    reportWords({ ...report, outcome: 'waiting', previous: digest, figures: {} }, 'x', 'y'),
    / to x, on trial: it drives\nthe one before, abab.*, is what it falls back to; to take it back: kit deploy rollback --to x\n/,
  );
});

t.test('what a robot has, drives and tries, and what it will never take again', async t => {
  t.match(
    statusWords(status),
    /^robot +not named.*\n.*\ncurrent +none\nprevious +none\ndrives +nobody\nfree +3072\.0 MiB$/,
  );
  const trial = { id: 'a', digest, phase: 'limited', running: true, skip: {} } as const;
  const state = { ...emptyState, trial, bad: { [digest]: 'it shook' } };
  const full = statusWords({ ...status, robot: 'desk2', current: digest, running: { digest, sinceS: 61 }, state });
  t.match(full, /drives +abab.*, for 1 min 1 s\non trial +abab.*, limited\nbad +abab.* it shook\n/);
  t.match(
    statusWords({ ...status, state: { ...state, trial: { ...trial, running: false } } }),
    /limited, waits for a run/,
  );
});

t.test('the history is one line for each thing that happened', async t => {
  t.equal(historyWords([]), 'nothing happened here yet');
  t.equal(
    historyWords([{ ...entry, event: 'committed' }]),
    '2026-11-21 10:00:00  abababababab…  committed   good  (5.00 s, me)',
  );
});
