/** The observation: names and values by hand, term by term. */
import fc from 'fast-check';
import t from 'tap';
import { fingertip } from '../src/kinematics.js';
import { observationNames, observationSize, observe } from '../src/observe.js';
import { type ObservationTerm, observationTerms } from '../src/robot-spec.js';
import { atRest, desk2, desk2With, spatialArm } from './arms.js';

const terms = Object.keys(observationTerms) as ObservationTerm[];

/** Stretched forward at a right angle in the elbow: fingertip at (0.12, 0.1, 0.06). */
function bent() {
  const state = atRest(desk2, [0, Math.PI / 2]);
  state.velocity.set([1, -2]);
  state.target.set([0.05, Math.PI / 2 - 0.1]);
  state.goal.set([0.14, 0.1, 0.06]);
  state.actions.set([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  return state;
}

function term(name: ObservationTerm): number[] {
  const spec = desk2With({ observation: [name] });
  const out = new Float32Array(observationSize(spec));
  observe(spec, bent(), out);
  return [...out];
}

t.test('every number of desk2 has a name, in order', async t => {
  t.strictSame(observationNames(desk2), [
    'position.shoulder',
    'position.elbow',
    'velocity.shoulder',
    'velocity.elbow',
    'lag.shoulder',
    'lag.elbow',
    'goal.x',
    'goal.y',
    'goal.z',
    'goalError.x',
    'goalError.y',
    'goalError.z',
    'goalErrorFine.x',
    'goalErrorFine.y',
    'goalErrorFine.z',
    'actions.0.shoulder',
    'actions.0.elbow',
    'actions.1.shoulder',
    'actions.1.elbow',
    'actions.2.shoulder',
    'actions.2.elbow',
  ]);
});

t.test('each term has the value that its description says', async t => {
  const expected: Record<ObservationTerm, number[]> = {
    position: [0, (2 * (Math.PI / 2 - 0.1)) / 2.5 - 1],
    velocity: [0.25, -0.5],
    lag: [0.5, -1],
    goal: [0.14 / 0.22, 0.1 / 0.22, 0.06 / 0.22],
    goalError: [0.02 / 0.22, 0, 0],
    goalErrorFine: [Math.tanh(1), 0, 0],
    goalErrorTurned: [0.02 / 0.22, 0, 0],
    goalErrorTurnedFine: [Math.tanh(1), 0, 0],
    actions: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
  };
  for (const name of terms) {
    const found = term(name);
    t.equal(found.length, expected[name].length, name);
    for (const [i, value] of expected[name].entries())
      t.ok(Math.abs(found[i]! - value) < 1e-6, `${name}[${i}] is ${value}, found ${found[i]}`);
  }
});

t.test(
  'an arm that has turned about its base sees the same error as before: the turned terms turn with it',
  async t => {
    const spec = spatialArm();
    spec.observation = ['goalErrorTurned', 'goalErrorTurnedFine'];
    const seen = (waist: number) => {
      const state = atRest(spec, [waist, 0.9, 0.4]);
      fingertip(spec, state.position, state.goal);
      // 30 mm ahead, 10 mm to the left, 20 mm up, as the arm looks.
      state.goal[0]! += 0.03 * Math.cos(waist) - 0.01 * Math.sin(waist);
      state.goal[1]! += 0.03 * Math.sin(waist) + 0.01 * Math.cos(waist);
      state.goal[2]! += 0.02;
      const out = new Float32Array(observationSize(spec));
      observe(spec, state, out);
      return [...out];
    };
    const errors = [0.03, 0.01, 0.02];
    const expected = [...errors.map(e => e / spec.reachM), ...errors.map(e => Math.tanh(e / 0.02))];
    for (const waist of [0, 1.1, -0.7])
      for (const [i, value] of seen(waist).entries())
        t.ok(Math.abs(value - expected[i]!) < 1e-6, `turned by ${waist}: number ${i} is ${value}`);
  },
);

t.test('the ends of the range are seen as −1 and 1', async t => {
  const spec = desk2With({ observation: ['position'] });
  const out = new Float32Array(2);
  observe(spec, atRest(spec, [-1.5, 2.6]), out);
  t.strictSame([...out], [-1, 1]);
});

t.test('any choice of terms: as many numbers as names, each written, none beyond', async () => {
  const choice = fc.shuffledSubarray(terms, { minLength: 1 });
  fc.assert(
    fc.property(choice, fc.integer({ min: 1, max: 8 }), (observation, actionHistory) => {
      const spec = desk2With({ observation, actionHistory });
      const size = observationSize(spec);
      if (observationNames(spec).length !== size) throw new Error('names and size disagree');
      const out = new Float32Array(size + 1).fill(Number.NaN);
      observe(spec, atRest(spec), out);
      if (!out.subarray(0, size).every(Number.isFinite)) throw new Error(`a number was not written: ${out}`);
      if (!Number.isNaN(out[size])) throw new Error('a number was written beyond the observation');
    }),
  );
});

t.test('observing changes nothing of the state and depends on nothing else', async t => {
  const state = bent();
  const before = structuredClone(state);
  const first = new Float32Array(observationSize(desk2));
  const second = first.slice();
  observe(desk2, state, first);
  observe(desk2, atRest(desk2), second);
  observe(desk2, state, second);
  t.strictSame(second, first);
  t.strictSame(state, before);
});
