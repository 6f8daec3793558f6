import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '@sim2servo/models/error';
import { shippedPolicies } from '@sim2servo/models/robot-folder';
import { emptyState } from '@sim2servo/runtime/releases/store-state';
import t from 'tap';
import type { Status } from '../../src/agent/protocol.js';
import {
  canariesOf,
  checkFleet,
  deployFleet,
  type FleetReport,
  type FleetTurn,
  inTurn,
  type RobotOutcome,
} from '../../src/fleet/deploy-fleet.js';
import type { RobotReport } from '../../src/fleet/fleet-status.js';
import { readOutgoing } from '../../src/targets/deploy-bundle.js';
import type { Target } from '../../src/targets/target.js';
import { FakeRobot, fakeStatus } from '../support/fake-robot.js';

const bundle = readOutgoing(join(shippedPolicies, 'so101-reach-50hz'));
const fleetOf = (n: number, driven: readonly string[] = []): readonly FleetTurn[] =>
  Array.from({ length: n }, (_, i) => {
    const name = `r${i + 1}`;
    return {
      name,
      to: name,
      flags: `--to ${name}`,
      target: { kind: 'ssh', destination: name, port: undefined },
      groups: [],
      options: {},
      driven: driven.includes(name),
    };
  });
const nameOf = (target: Target | string) => (target as { readonly destination: string }).destination;

interface Play {
  readonly robots: number;
  readonly canaries?: number;
  readonly atOnce?: number;
  /** What is wrong with some of them. */
  readonly answers?: Readonly<Record<string, FakeRobot['answers']>>;
  readonly unreachable?: readonly string[];
  /** Known to be. */
  readonly driven?: readonly string[];
  readonly onOutcome?: (outcome: RobotOutcome, interrupt: () => void) => void;
}

interface Played extends FleetReport {
  /** `+name` where it begins, `-name` where it ends. */
  readonly course: readonly string[];
  readonly outcomes: Readonly<Record<string, string>>;
}

async function play({
  robots,
  canaries = 1,
  atOnce = 2,
  answers = {},
  unreachable = [],
  driven = [],
  onOutcome,
}: Play) {
  const course: string[] = [];
  const interrupt = new AbortController();
  const report = await deployFleet(fleetOf(robots, driven), bundle, {
    by: 'me',
    signal: interrupt.signal,
    canaries,
    atOnce,
    connectRobot: async target => {
      const name = nameOf(target);
      course.push(`+${name}`);
      if (unreachable.includes(name)) throw new KitError('E_TARGET_LOST', 'it hung up', 'try again', 'noDevice');
      const robot = new FakeRobot();
      const follow = async () => {
        await sleep(5);
        return { outcome: 'committed', words: 'so' };
      };
      const status = () => ({ ...fakeStatus, current: bundle.bundle.digest });
      robot.answers = { follow, status, ...answers[name] };
      return Object.assign(robot, { close: async () => void course.push(`-${name}`) });
    },
    onStep: () => {},
    onOutcome: outcome => onOutcome?.(outcome, () => interrupt.abort()),
  });
  const outcomes = Object.fromEntries(report.robots.map(({ name, outcome }) => [name, outcome]));
  return { ...report, course, outcomes } satisfies Played;
}

t.test('the canaries go one after the other, and the others only then, some at once', async t => {
  const { course, robots, stoppedAt } = await play({ robots: 6, canaries: 2, atOnce: 2 });
  t.same(course.slice(0, 4), ['+r1', '-r1', '+r2', '-r2']);
  t.same(course.slice(4, 6), ['+r3', '+r4'], 'two at once');
  t.same(stoppedAt, []);
  t.same(
    robots.map(({ name, canary, outcome }) => [name, canary, outcome]),
    ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'].map((name, i) => [name, i < 2, 'committed']),
  );
  let open = 0;
  for (const step of course) {
    open += step.startsWith('+') ? 1 : -1;
    t.ok(open <= 2);
  }
});

const rollsBack = { follow: () => ({ outcome: 'rolled-back', words: 'it shook' }) };
const refuses = {
  install: () => {
    throw new KitError('E_BUNDLE_BAD', 'it failed here before', 'train another');
  },
};

t.test('a canary that rolls back is the only robot that ever saw the policy', async t => {
  const { course, outcomes, stoppedAt, robots } = await play({ robots: 5, canaries: 2, answers: { r1: rollsBack } });
  t.same(course, ['+r1', '-r1']);
  t.same(stoppedAt, ['r1']);
  t.same(outcomes, { r1: 'rolled-back', r2: 'left', r3: 'left', r4: 'left', r5: 'left' });
  t.equal(robots[0]!.words, 'it shook');
});

t.test('after the canaries, too, nothing is begun once one does not take it; what was begun ends', async t => {
  const { course, outcomes, stoppedAt, robots } = await play({ robots: 6, atOnce: 2, answers: { r2: refuses } });
  t.same(stoppedAt, ['r2']);
  t.same(outcomes, { r1: 'committed', r2: 'failed', r3: 'committed', r4: 'left', r5: 'left', r6: 'left' });
  t.ok(course.includes('-r3'));
  t.match(robots[1], {
    words: 'it failed here before; the robot ends the installation by itself; see kit deploy status',
    error: { code: 'E_BUNDLE_BAD', hint: 'train another' },
  });
});

t.test('one that is lost on the way is a bad one', async t => {
  const { outcomes, robots } = await play({ robots: 3, atOnce: 1, unreachable: ['r2'] });
  t.same(outcomes, { r1: 'committed', r2: 'failed', r3: 'left' });
  t.match(robots[1], { words: 'it hung up', error: { code: 'E_TARGET_LOST' } });
});

const has = { install: () => ({ id: 'a', outcome: 'current' }) };
const waits = { follow: () => ({ outcome: 'waiting', words: 'nobody drives' }) };

t.test('one that has it already, or where nobody drives, is not bad', async t => {
  const { outcomes, stoppedAt, course } = await play({ robots: 3, canaries: 2, answers: { r1: has, r3: waits } });
  t.same(outcomes, { r1: 'current', r2: 'committed', r3: 'waiting' });
  t.same(stoppedAt, []);
  t.same(course.slice(0, 4), ['+r1', '-r1', '+r2', '-r2']);
});

t.test('a canary that was driven, and is not any more, has shown nothing: there it stops', async t => {
  const { outcomes, stoppedAt } = await play({ robots: 3, driven: ['r1'], answers: { r1: waits } });
  t.same(stoppedAt, ['r1']);
  t.same(outcomes, { r1: 'waiting', r2: 'left', r3: 'left' });
  const undecided = { follow: () => ({ outcome: 'undecided', words: 'nothing was heard of it' }) };
  t.match(await play({ robots: 2, answers: { r1: undecided } }), { stoppedAt: ['r1'], outcomes: { r2: 'left' } });
});

t.test('an arm that is driven since, and that nobody was asked about, is left alone', async t => {
  const drives = { hello: () => ({ ...fakeStatus, protocol: 1, incoming: '/x', running: { digest, sinceS: 1 } }) };
  const { robots, stoppedAt } = await play({ robots: 2, answers: { r1: drives } });
  t.same(stoppedAt, ['r1']);
  t.match(robots[0], { outcome: 'failed', error: { code: 'E_FLEET_DRIVEN' }, words: /nobody was asked/ });
  t.match(await play({ robots: 2, driven: ['r1'], answers: { r1: drives } }), { outcomes: { r1: 'committed' } });
});

t.test('those that drive come first, and all else stays in order', async t => {
  const robots = fleetOf(4);
  const reports = robots.map(({ name }) => report(name, name === 'r3' ? { running: { digest, sinceS: 1 } } : {}));
  t.same(
    inTurn(robots, reports).map(({ name, driven }) => [name, driven]),
    [
      ['r3', true],
      ['r1', false],
      ['r2', false],
      ['r4', false],
    ],
  );
});

t.test('Ctrl-C begins no other, and leaves the one under way to itself', async t => {
  const between = await play({ robots: 3, onOutcome: (_, interrupt) => interrupt() });
  t.same(between.outcomes, { r1: 'committed', r2: 'left', r3: 'left' });
  t.same(between.stoppedAt, [], 'nobody is to blame');
  const follow = () => new Promise(() => {});
  const during = await play({
    robots: 4,
    canaries: 1,
    atOnce: 2,
    answers: { r2: { follow } },
    onOutcome: ({ name }, interrupt) => name === 'r3' && interrupt(),
  });
  t.same(during.outcomes, { r1: 'committed', r2: 'interrupted', r3: 'committed', r4: 'left' });
  t.match(during.robots[1]!.words, /^interrupted: the trial goes on without us/);
});

t.test(
  'what took it and has another by the end is no success; one that can not be asked now took it all the same',
  async t => {
    const other = { status: () => ({ ...fakeStatus, current: digest }) };
    const begun = { status: () => ({ ...fakeStatus, current: digest, state: { ...emptyState, trial: ours } }) };
    const ours = { id: 'b', digest: bundle.bundle.digest, phase: 'shadow', running: true, skip: {} } as const;
    let asked = 0;
    const lost = {
      status: () => {
        if (asked++ > 0) throw new KitError('E_TARGET_LOST', 'it hung up', 'try again', 'noDevice');
        return fakeStatus;
      },
    };
    const { outcomes, robots, stoppedAt } = await play({ robots: 4, answers: { r2: other, r3: begun, r4: lost } });
    t.same(outcomes, { r1: 'committed', r2: 'replaced', r3: 'committed', r4: 'committed' });
    t.equal(robots[1]!.words, 'it has dddddddddddd… by now');
    t.same(stoppedAt, []);
    t.equal(asked, 2);
  },
);

t.test('a mistake of ours stops it like any failure, and the report is there', async t => {
  const broken = {
    install: () => {
      throw new TypeError('x is undefined');
    },
  };
  const { outcomes, robots } = await play({ robots: 5, answers: { r2: broken } });
  t.same(outcomes, { r1: 'committed', r2: 'failed', r3: 'committed', r4: 'left', r5: 'left' });
  t.match(robots[1], { words: 'x is undefined', error: { code: 'E_FLEET_BUG' } });
});

t.test('one canary at least, never more than there are, and what a share is not quite is none more', async t => {
  t.equal(canariesOf(20, 0.1), 2);
  t.equal(canariesOf(20, 0.11), 3);
  t.equal(canariesOf(3, 0.1), 1);
  t.equal(canariesOf(3, 1), 3);
  t.equal(canariesOf(10, 0.7), 7);
  t.equal(canariesOf(1000, 0.001), 1);
});

const digest = 'd'.repeat(64);
const report = (name: string, more: Partial<Status> = {}): RobotReport => ({
  name,
  to: name,
  groups: [],
  health: 'ready',
  status: { ...fakeStatus, robot: 'so101', ...more },
});
const trial = { id: 'a', digest, phase: 'limited', running: true, skip: {} } as const;
const trying = report('trying', { running: { digest, sinceS: 1 }, state: { ...emptyState, trial } });
const absent: RobotReport = {
  name: 'gone',
  to: 'gone',
  groups: [],
  health: 'absent',
  lastError: { code: 'E_TARGET_SILENT', message: 'it is offline' },
};

t.test('before the first robot is touched all of them are looked at', async t => {
  checkFleet([report('a'), report('b', { running: { digest, sinceS: 1 } })], 'so101');
  // One that waits for a run is given another: nobody tries it.
  checkFleet([report('a', { state: { ...emptyState, trial } })], 'so101');
  t.throws(() => checkFleet([report('a'), absent], 'so101'), {
    code: 'E_FLEET_ABSENT',
    message: /^1 of 2 robots do not answer; nothing was changed\n {2}gone: it is offline$/,
    hint: /--without gone$/,
    exit: 'noDevice',
  });
  t.throws(() => checkFleet([report('a', { robot: 'koch' }), report('b', { robot: 'koch' })], 'so101'), {
    code: 'E_FLEET_MIXED',
    message: /a: it is a koch/,
    hint: 'name a --group of one kind',
    exit: 'usage',
  });
  t.throws(() => checkFleet([report('a'), absent], 'so101', ['old']), {
    code: 'E_FLEET_ABSENT',
    hint: /--without old,gone$/,
  });
  t.throws(() => checkFleet([trying], 'so101'), { code: 'E_DEPLOY_BUSY', message: /limited, dddddddddddd/ });
});
