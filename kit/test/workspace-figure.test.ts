import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { duration } from '../src/progress-line.js';
import { workspaceFigure } from '../src/workspace-figure.js';

const { spec } = loadRobot('desk2');

t.test('a panel a run, a circle a target, a way to each, and the count in words', async t => {
  const trail = {
    goal: [0.15, 0.05, 0.06],
    positions: [
      [0, 1.2],
      [0.1, 1.1],
    ],
    errorMm: 4,
    reached: true,
  };
  const svg = workspaceFigure(spec, [
    { title: 'one', trails: [trail, { ...trail, errorMm: 20, reached: false }] },
    { title: 'two', trails: [] },
  ]);
  t.match(svg, /^<svg xmlns=[^>]+>.*<\/svg>\n$/s);
  t.match(svg, /1 of 2 targets reached, mean error 12\.0 mm/);
  t.equal(svg.match(/stroke="#2563eb"/g)?.length, 2, 'two ways');
  t.notMatch(svg, /NaN|undefined/);
});

t.test('durations are said as people say them', async t => {
  t.equal(duration(9.4), '9 s');
  t.equal(duration(83), '1 min 23 s');
  t.equal(duration(3700), '1 h 1 min');
});
