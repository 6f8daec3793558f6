import { Random } from '@sim2servo/models/random';
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { changedArm, nominalArm } from '../src/arm-variation.js';
import { commandLatency, drawArm, drawLatencyS } from '../src/domain-randomisation.js';

const random = new Random(1);
const arms = Array.from({ length: 2000 }, () => drawArm(random, 0.012));

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
    Array.from({ length: 50 }, () => drawArm(again, 0.012)),
    arms.slice(0, 50),
  );
  t.end();
});

t.test(
  'the latency is that of the bus: the pulse of kitlink, within its period of 20 ms; a cycle of polled servos',
  t => {
    for (const [name, low, high] of [
      ['desk2', 0.006, 0.02],
      ['so101', 0.001, 0.003],
      ['koch', 0.001, 0.003],
    ] as const) {
      const latency = commandLatency(loadRobot(name).site.bus);
      const times = Array.from({ length: 2000 }, () => drawLatencyS(random, latency));
      t.ok(Math.min(...times) >= low && Math.max(...times) <= high, name);
      const mean = times.reduce((sum, value) => sum + value) / times.length;
      t.ok(Math.abs(mean - latency.nominalS) < 0.0002, `${name}: around the nominal one`);
    }
    t.end();
  },
);
