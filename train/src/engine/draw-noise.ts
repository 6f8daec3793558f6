/** Fills an engine's noise as its algorithm declares it. */
import type { Random } from '@sim2servo/models/random';
import type { NoiseInput } from '../algorithms/algorithm.js';

export function drawNoise(
  declared: Readonly<Record<string, NoiseInput>>,
  random: Random,
  noise: Readonly<Record<string, Float32Array>>,
): void {
  for (const [name, { shape, draw }] of Object.entries(declared)) {
    const out = noise[name]!;
    if (draw.kind === 'normal') random.fillNormal(out);
    else markSubsets(random, out, shape.at(-1)!, draw.choose);
  }
}

/** Marks `choose` of the columns of each row, by selection sampling (Knuth, TAOCP 2, algorithm S): each subset is as likely. */
function markSubsets(random: Random, out: Float32Array, columns: number, choose: number): void {
  for (let row = 0; row < out.length; row += columns) {
    let wanted = choose;
    for (let i = 0; i < columns; i++) {
      const taken = random.integer(columns - i) < wanted;
      out[row + i] = taken ? 1 : 0;
      if (taken) wanted--;
    }
  }
}
