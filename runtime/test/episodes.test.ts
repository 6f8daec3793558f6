import { createControlState } from '@sim2servo/models/control-state';
import { fingertip } from '@sim2servo/models/kinematics';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import t from 'tap';
import { Episodes } from '../src/episodes.js';
import { listedGoals } from '../src/goal-source.js';
import { robot, task } from './support/arm-fixture.js';

const { spec } = robot;
/** A point `offsetM` beside the fingertip at `position`. */
function near(position: number[], offsetM: number): Float64Array {
  const out = new Float64Array(3);
  fingertip(spec, position, out);
  out[2]! += offsetM;
  return out;
}

t.test('the lead-in pursues the home posture and counts for nothing', async t => {
  const state = createControlState(spec);
  const episodes = new Episodes(spec, task, listedGoals([near([0, 1], 0)], 10), 50);
  episodes.leadIn(state);
  t.same(
    state.goal,
    near(
      spec.joints.map(joint => joint.home),
      0,
    ),
  );
  t.ok(episodes.over);
  for (let i = 0; i < 200; i++) episodes.advance(state, 1);
  t.equal(episodes.episode, 0);
  t.equal(episodes.step, 200);
  t.same(episodes.results, []);
});

t.test('a target is judged by the mean over the last half second, by hand', async t => {
  const state = createControlState(spec);
  state.position.set([0.2, 1.1]);
  const goal = near([0.2, 1.1], 0.004);
  const episodes = new Episodes(spec, task, listedGoals([goal], 100), 50);
  t.ok(episodes.begin(state));
  for (let i = 0; i < 100; i++) {
    // Far away at first; 4 mm and then 8 mm off in the judged 25 ticks.
    state.position.set(i < 75 ? [-1, 2] : [0.2, 1.1]);
    if (i >= 90) state.goal[2] = goal[2]! + 0.004;
    episodes.judge(state);
    t.equal(episodes.last, i === 99);
    episodes.advance(state, 1);
  }
  t.equal(episodes.results.length, 1);
  const [result] = episodes.results;
  t.ok(Math.abs(result!.errorM - (15 * 0.004 + 10 * 0.008) / 25) < 1e-12);
  t.ok(result!.reached);
  t.ok(episodes.over);
  t.notOk(episodes.begin(state));
});

t.test('beside the error stands what it would be had the arm stood still since its goal was begun', async t => {
  const state = createControlState(spec);
  const from = near([0.2, 1.1], 0);
  state.position.set([0.2, 1.1]);
  const episodes = new Episodes(spec, task, listedGoals([near([0.2, 1.1], 0.1), near([-1, 2], 0.03)], 2), 50);
  episodes.leadIn(state);
  const apart = () => Math.hypot(...state.goal.map((part, axis) => part - from[axis]!));
  for (let i = 0; i < 3; i++) {
    episodes.judge(state);
    t.ok(Math.abs(episodes.stillM - apart()) < 1e-12, `${episodes.stillM}`);
    if (i === 0) t.ok(episodes.begin(state));
    else episodes.advance(state, 1);
    state.position.set([-1, 2]);
  }
  t.ok(episodes.begin(state));
  episodes.judge(state);
  t.ok(Math.abs(episodes.stillM - 0.03) < 1e-12, 'the next goal counts from where the arm is then');
});

t.test('a goal that moves is missed by an arm that stands still', async t => {
  const state = createControlState(spec);
  state.position.set([0.2, 1.1]);
  const track = taskNamed('track');
  const episodes = new Episodes(spec, track, listedGoals([near([0.2, 1.1], 0)], 200), 50);
  episodes.begin(state);
  for (let i = 0; i < 100; i++) episodes.advance(state, 1);
  episodes.judge(state);
  t.ok(Math.abs(episodes.stillM - 0.06) < 1e-12, 'half round a circle of 30 mm');
});

t.test('a target that is missed by more than the task allows is not reached', async t => {
  const state = createControlState(spec);
  const episodes = new Episodes(spec, task, listedGoals([near([0, 0], task.reachedM + 0.001)], 30), 50);
  episodes.begin(state);
  for (let i = 0; i < 30; i++) {
    episodes.judge(state);
    episodes.advance(state, 1);
  }
  t.notOk(episodes.results[0]!.reached);
});

t.test('skipped periods take their time, and no sample in the judged part is no success', async t => {
  const state = createControlState(spec);
  const episodes = new Episodes(spec, task, listedGoals([near([0, 0], 0)], 30), 50);
  episodes.begin(state);
  episodes.advance(state, 1);
  t.equal(episodes.step, 1);
  episodes.advance(state, 29);
  t.equal(episodes.step, 30);
  t.ok(Number.isNaN(episodes.results[0]!.errorM));
  t.notOk(episodes.results[0]!.reached);
});

t.test('a cut starts a new episode of the same goal', async t => {
  const state = createControlState(spec);
  const episodes = new Episodes(spec, task, listedGoals([near([0, 0], 0)], 30), 50);
  episodes.begin(state);
  episodes.advance(state, 5);
  const goal = [...state.goal];
  episodes.cut();
  t.equal(episodes.episode, 2);
  t.equal(episodes.step, 0);
  t.same([...state.goal], goal);
  episodes.advance(state, 25);
  t.equal(episodes.results.length, 1, 'the goal ends at its time');
});

t.test(
  'a goal that moves goes on by the periods that went by, from where it was drawn, and stands still in the lead-in',
  async t => {
    const track = taskNamed('track');
    const state = createControlState(spec);
    const drawn = [0.15, 0.05, 0.06];
    const episodes = new Episodes(spec, track, listedGoals([drawn, drawn], 100), 50);
    episodes.leadIn(state);
    const home = state.goal.slice();
    episodes.advance(state, 1);
    t.same(state.goal, home);
    episodes.begin(state);
    t.same([...state.goal], drawn, 'the first tick sees it where it was drawn');
    const expected = new Float64Array(3);
    let gone = 0;
    for (const periods of [1, 1, 4, 1, 93]) {
      episodes.advance(state, periods);
      gone += periods;
      track.goalAt!(drawn, gone / 50, expected);
      t.same(state.goal, expected, `after ${gone} periods`);
    }
    t.same(episodes.results[0]!.goalM, drawn);
    episodes.begin(state);
    t.same([...state.goal], drawn, 'and the next one starts anew');
  },
);

t.test('a goal that its source ends counts by the samples up to there; one that it voids is no result', async t => {
  const state = createControlState(spec);
  const here = near([0, 0], 0.004);
  let verdict: 'counted' | 'void' | undefined;
  const goals = {
    next: (goal: Float64Array) => {
      goal.set(here);
      return 100;
    },
    ends: () => verdict,
  };
  const episodes = new Episodes(spec, task, goals, 50);
  episodes.leadIn(state);
  verdict = 'counted';
  episodes.judge(state);
  t.equal(episodes.episode, 0, "the lead-in is nobody's to end");
  const pursue = (ends: 'counted' | 'void') => {
    t.ok(episodes.begin(state));
    for (let i = 0; i < 5; i++) {
      verdict = i === 4 ? ends : undefined;
      episodes.judge(state);
      t.equal(episodes.last, i === 4 && ends === 'counted');
      episodes.advance(state, 1);
      t.equal(episodes.over, i === 4);
    }
  };
  pursue('counted');
  t.equal(episodes.results.length, 1);
  t.ok(Math.abs(episodes.results[0]!.errorM - 0.004) < 1e-9);
  pursue('void');
  t.equal(episodes.results.length, 1);
  pursue('counted');
  t.same(
    episodes.results.map(({ episode }) => episode),
    [1, 3],
  );
  t.ok(Math.abs(episodes.results[1]!.errorM - 0.004) < 1e-9, 'what was voided is not in the mean');
});
