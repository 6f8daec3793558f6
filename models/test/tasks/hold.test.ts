import t from 'tap';
import { hold } from '../../src/tasks/hold.js';
import { reach } from '../../src/tasks/reach.js';
import { desk2 } from '../arms.js';

t.test('holding is reaching of a point where the fingertip is already, while something pushes', async t => {
  t.equal(hold.startsAtGoal, true);
  t.ok(hold.push!.maxN > 0 && hold.push!.everyS < hold.episodeS(desk2, 50));
  t.equal(hold.reward, reach.reward);
  t.equal(hold.goalAt, undefined, 'the point stays');
});
