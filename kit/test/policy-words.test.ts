import type { TimedNews } from '@sim2servo/runtime/run-policy';
import t from 'tap';
import { changeWords, trialWords } from '../src/policy-words.js';

const digest = '0123456789abcdef'.repeat(4);
const news = (event: TimedNews['event'], words: string, seconds = 0): TimedNews => ({
  atS: 12.34,
  digest,
  event,
  words,
  seconds,
});
const said = (event: TimedNews['event'], words: string, seconds?: number) =>
  trialWords(news(event, words, seconds), '/srv/arm');

t.test('each phase is a line with its time and figures', async t => {
  t.equal(said('shadow', 'figures', 5), '12.3 s: policy 0123456789ab… looked on (shadow) for 5.0 s: figures');
  t.equal(
    said('limited', 'figures', 5.04),
    '12.3 s: policy 0123456789ab… drove at 30 % of velocity and acceleration (limited) for 5.0 s: figures',
  );
  t.equal(said('full', 'figures', 10), '12.3 s: policy 0123456789ab… drove at full speed (full) for 10.0 s: figures');
});

t.test('how it ended, what the robot does now, and where there is more to read', async t => {
  t.equal(said('committed', 'it stays'), '12.3 s: policy 0123456789ab… has passed its trial: it stays');
  t.equal(
    said('rolled-back', 'it gave no numbers; the old policy drives again'),
    '12.3 s: policy 0123456789ab… is rolled back: it gave no numbers; the old policy drives again; ' +
      'what happened: kit deploy history --to /srv/arm',
  );
  t.equal(said('waiting', 'why'), '12.3 s: policy 0123456789ab… waits, the old one goes on: why');
  t.equal(said('paused', 'why'), '12.3 s: policy 0123456789ab… is still on trial: why');
  t.equal(said('unsaved', 'why'), '12.3 s: policy 0123456789ab…: why');
});

t.test('a policy that takes over without a trial, or can not', async t => {
  t.equal(changeWords({ digest, atS: 1, trial: false }), '1.0 s: policy 0123456789ab… took over');
  t.equal(
    changeWords({ digest, atS: 1, trial: false, refused: { code: 'E_X', message: 'why', hint: 'do this' } }),
    '1.0 s: policy 0123456789ab… does not take over: why (do this); the old one goes on',
  );
});
