import t from 'tap';
import {
  drives,
  isTried,
  leftOut,
  phaseSeconds,
  reduceTrial,
  type TrialEvent,
  type TrialState,
  type TrialStep,
} from '../../src/trial/trial-phases.js';

const state = (step: TrialStep, skip: TrialState['skip'] = {}): TrialState => ({ step, skip, reason: '' });
const seen = (seconds: number, ...reasons: string[]): TrialEvent => ({ kind: 'tried', seconds, reasons });
const begin = (phase: 'shadow' | 'limited' | 'full', shadowed = true): TrialEvent => ({
  kind: 'begin',
  phase,
  shadowed,
});
const all = ['proposed', 'shadow', 'limited', 'full', 'waiting', 'paused', 'commit', 'rollback'] as const;

t.test('a trial begins in the phase that the store has', async t => {
  for (const phase of ['shadow', 'limited', 'full'] as const)
    t.equal(reduceTrial(state('proposed'), begin(phase)).step, phase);
  for (const step of all.slice(1)) t.equal(reduceTrial(state(step), begin('full')).step, step, `${step}: it has begun`);
});

t.test('phases are left out where somebody gave a reason, and the shadow where nobody else drives', async t => {
  const from = (phase: 'shadow' | 'limited' | 'full', skip: TrialState['skip'], shadowed = true) =>
    reduceTrial(state('proposed', skip), begin(phase, shadowed)).step;
  t.equal(from('shadow', {}, false), 'limited');
  t.equal(from('shadow', { shadow: 'x' }), 'limited');
  t.equal(from('shadow', { limited: 'x' }), 'shadow');
  t.equal(from('shadow', { limited: 'x' }, false), 'full');
  t.equal(from('shadow', { shadow: 'x', limited: 'y' }), 'full');
  t.equal(from('limited', { shadow: 'x' }), 'limited');
  t.equal(from('limited', { limited: 'y' }), 'full');
  t.equal(from('full', { shadow: 'x', limited: 'y' }), 'full');
});

t.test('each phase lasts its time, and then the next begins; after the last it is committed', async t => {
  const order = ['shadow', 'limited', 'full', 'commit'] as const;
  for (const [i, step] of (['shadow', 'limited', 'full'] as const).entries()) {
    t.equal(reduceTrial(state(step), seen(phaseSeconds[step] - 0.01)).step, step);
    t.equal(reduceTrial(state(step), seen(phaseSeconds[step])).step, order[i + 1]);
  }
  t.equal(reduceTrial(state('shadow', { limited: 'x' }), seen(5)).step, 'full');
});

t.test(
  'whatever speaks against it rolls it back, however little time went by, and all of that is the reason',
  async t => {
    for (const step of ['shadow', 'limited', 'full'] as const)
      t.match(reduceTrial(state(step), seen(0, 'a', 'b')), { step: 'rollback', reason: 'a; b' });
  },
);

t.test('a safety stop counts against who drove', async t => {
  const stopped: TrialEvent = { kind: 'stopped', reason: 'a plug' };
  t.equal(reduceTrial(state('shadow'), stopped).step, 'paused');
  t.equal(reduceTrial(state('waiting'), stopped).step, 'paused');
  for (const step of ['limited', 'full'] as const)
    t.match(reduceTrial(state(step), stopped), { step: 'rollback', reason: 'the arm was stopped: a plug' });
});

t.test(
  'one that can’t be tried in this run waits, one that is refused is rolled back, and the end of a run pauses',
  async t => {
    for (const step of ['proposed', 'shadow', 'limited', 'full', 'waiting'] as const) {
      t.match(reduceTrial(state(step), { kind: 'hindered', reason: 'why' }), { step: 'waiting', reason: 'why' });
      t.match(reduceTrial(state(step), { kind: 'refused', reason: 'why' }), { step: 'rollback', reason: 'why' });
      t.equal(reduceTrial(state(step), { kind: 'ended' }).step, 'paused');
    }
  },
);

t.test('what waits, or has not begun, is not judged', async t => {
  for (const step of ['proposed', 'waiting'] as const) t.equal(reduceTrial(state(step), seen(100, 'bad')).step, step);
});

t.test('what is over stays over', async t => {
  const events: TrialEvent[] = [
    begin('shadow'),
    seen(100),
    seen(100, 'bad'),
    { kind: 'hindered', reason: 'x' },
    { kind: 'refused', reason: 'x' },
    { kind: 'stopped', reason: 'x' },
    { kind: 'ended' },
  ];
  for (const step of ['paused', 'commit', 'rollback'] as const)
    for (const event of events) t.equal(reduceTrial(state(step), event).step, step);
});

t.test('it is known which steps try something, which let it drive, and which lie between two', async t => {
  t.same(all.filter(isTried), ['shadow', 'limited', 'full']);
  t.same(all.filter(drives), ['limited', 'full']);
  t.same(leftOut('proposed', 'shadow'), []);
  t.same(leftOut('proposed', 'limited'), ['shadow']);
  t.same(leftOut('proposed', 'full'), ['shadow', 'limited']);
  t.same(leftOut('shadow', 'full'), ['limited']);
  t.same(leftOut('limited', 'full'), []);
  for (const step of ['commit', 'rollback', 'paused', 'waiting'] as const) t.same(leftOut('proposed', step), []);
});
