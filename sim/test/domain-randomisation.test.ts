import { Random } from '@sim2servo/models/random';
import t from 'tap';
import { changedArm, nominalArm } from '../src/arm-variation.js';
import { drawArm, drawSampleToPulseS, nominalSampleToPulseS } from '../src/domain-randomisation.js';

const random = new Random(1);
const arms = Array.from({ length: 2000 }, () => drawArm(random));

t.test('arms are drawn over the whole of each span, around the nominal one', t => {
  const spans = {
    frictionScale: [0.5, 1.5],
    gainScale: [0.8, 1.2],
    loadScale: [0.5, 1.5],
    delayS: [0.008, 0.03],
  } as const;
  for (const [key, [low, high]] of Object.entries(spans)) {
    const values = arms.map(arm => arm[key as keyof typeof spans]!);
    t.ok(Math.min(...values) >= low && Math.max(...values) < high, `${key} stays in its span`);
    t.ok(
      Math.min(...values) < low + (high - low) / 20 && Math.max(...values) > high - (high - low) / 20,
      `${key} fills it`,
    );
    if (key !== 'delayS') t.ok(nominalArm[key as 'gainScale'] > low && nominalArm[key as 'gainScale'] < high);
  }
  t.end();
});

t.test('training never sees the offset of the changed arm', t => {
  t.ok(arms.every(arm => arm.offsetRad === 0));
  t.equal(changedArm.offsetRad, (3 * Math.PI) / 180);
  t.end();
});

t.test('the same seed draws the same arms', t => {
  const again = new Random(1);
  t.strictSame(
    Array.from({ length: 50 }, () => drawArm(again)),
    arms.slice(0, 50),
  );
  t.end();
});

t.test('the time to the pulse is that of kitlink: less than a period of 20 ms, around its nominal value', t => {
  const times = Array.from({ length: 2000 }, () => drawSampleToPulseS(random));
  t.ok(Math.min(...times) > 0.006 && Math.max(...times) < 0.02);
  const mean = times.reduce((sum, value) => sum + value) / times.length;
  t.ok(Math.abs(mean - nominalSampleToPulseS) < 0.0002);
  t.end();
});
