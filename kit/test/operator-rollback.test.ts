/** An operator's `kit deploy rollback`, as a process of its own, while a loop drives an arm on emulated servos. In virtual time, so that no machine is too busy for it. */
import { join } from 'node:path';
import { runOnRig } from '@sim2servo/hil-tests/rig/run-on-rig';
import { Deployed } from '@sim2servo/hil-tests/scenarios/deployed';
import { periodsOf, takeoversCost } from '@sim2servo/hil-tests/scenarios/hot-swap';
import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import { drawnGoals } from '@sim2servo/runtime/goal-source';
import { operator } from '@sim2servo/runtime/releases/operator';
import { openStore } from '@sim2servo/runtime/releases/release-store';
import t from 'tap';
import { kit, kitProcess, type Said } from './test-io.js';

/** More than are pursued until the programs have come and gone. */
const goals = 1_000_000;

t.test('the old policy drives again, no tick is missed, and the history names who wanted it', async t => {
  const folder = t.testdir();
  const path = join(folder, 'store');
  const robot = loadRobot('so101');
  // Two policies that were good, and nobody else who changes the store.
  await (await Deployed.create(path, robot)).close();
  const store = openStore(path);
  const [first, second] = [store.current()!, store.previous()!];
  const before = store.history().length;
  const back = ['deploy', 'rollback', '--to', path];
  const ended = new AbortController();
  const said: Said[] = [];
  let asked = false;
  const log = join(folder, 'log.mcap');
  /** Back, and back from that, each once the other one drives. */
  const ask = async (reason: string) => {
    said.push(await kitProcess([...back, '--reason', reason, '--yes']));
    if (said.at(-1)!.exit !== 0) ended.abort();
  };
  const report = await runOnRig({
    rig: 'bus-lockstep',
    robot,
    policyDir: path,
    logPath: log,
    goals: drawnGoals(robot.spec, taskNamed('reach'), new Random(2), goals),
    signal: AbortSignal.any([ended.signal, AbortSignal.timeout(120_000)]),
    onStatus({ motion }) {
      if (motion !== 'running' || asked) return;
      asked = true;
      void kit(back).then(unasked => {
        said.push(unasked);
        return ask('it shook');
      });
    },
    onPolicy({ digest }) {
      if (digest === second) void ask('it was the table');
      // So that the ticks of the takeover are there as well.
      else setTimeout(() => ended.abort(), 500);
    },
  });
  t.match(said, [
    { exit: 2, err: /is driven by .* just now; the policy before takes over from it/ },
    { exit: 0, out: `${second.slice(0, 12)}… is current again` },
    { exit: 0, out: `${first.slice(0, 12)}… is current again` },
  ]);
  t.match(report, { end: { kind: 'interrupted' }, missed: 0, stale: 0, trials: [], policy: { digest: first } });
  t.same(
    report.followedBy.map(({ digest, trial, refused }) => ({ digest, trial, refused })),
    [second, first].map(digest => ({ digest, trial: false, refused: undefined })),
  );
  const periods = periodsOf(log, report.policy.controlRateHz);
  t.equal(periods.lost.length, 2, 'the log names who drove');
  t.notOk(takeoversCost(periods, true), `${periods.lost} control periods were lost in them`);
  t.match(store.history().slice(before), [
    { digest: first, by: operator(), words: /it shook/ },
    { digest: second, by: operator(), words: /it was the table/ },
  ]);
});
