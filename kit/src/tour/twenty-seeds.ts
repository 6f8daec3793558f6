/**
 * Whether `npm start` holds for any seed: its learning parts for twenty of them, in virtual time on the same firmware image. Prints one
 * JSON line a seed; `npm run long` keeps them in bench/results/.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { changedArm, nominalArm } from '@sim2servo/sim/arm-variation';
import { exportBundle } from '@sim2servo/train/export-bundle';
import { finetune } from '@sim2servo/train/finetune';
import { trainRun } from '@sim2servo/train/train-run';
import { defaultTrainingConfig } from '@sim2servo/train/training-config';
import { collectRun, heldOutRun } from './tour-steps.js';

const [, , out, seedCount = '20'] = process.argv;
const robot = loadRobot('desk2');
const { signal } = new AbortController();
const results: object[] = [];

for (let seed = 0; seed < Number(seedCount); seed++) {
  const folder = mkdtempSync(join(tmpdir(), 'sim2servo-seed-'));
  const at = (name: string) => join(folder, name);
  mkdirSync(at('logs'));
  const run = await trainRun({ ...defaultTrainingConfig, loop: { ...defaultTrainingConfig.loop, seed } }, at('train'));
  const { folder: bundle } = await exportBundle({ run: run.folder.path, out: at('bundle') });
  const nominal = await heldOutRun(robot, bundle, nominalArm, at('nominal.mcap'), signal);
  const before = await heldOutRun(robot, bundle, changedArm, at('before.mcap'), signal);
  await collectRun(robot, bundle, join(at('logs'), 'collected.mcap'), seed, signal);
  const tuned = await finetune({ from: bundle, logs: at('logs'), out: at('finetune'), bundle: at('tuned'), seed });
  const after = await heldOutRun(robot, tuned.bundle.folder, changedArm, at('after.mcap'), signal);
  const lost = before.meanErrorM - nominal.meanErrorM;
  const result = {
    seed,
    trainSeconds: Number(run.seconds.toFixed(1)),
    reached: nominal.reached,
    targets: nominal.targets.length,
    errorNominalMm: Number((nominal.meanErrorM * 1000).toFixed(2)),
    errorBeforeMm: Number((before.meanErrorM * 1000).toFixed(2)),
    errorAfterMm: Number((after.meanErrorM * 1000).toFixed(2)),
    wonBack: Number(((before.meanErrorM - after.meanErrorM) / lost).toFixed(2)),
    passed: nominal.reached >= 0.9 * nominal.targets.length && after.meanErrorM < before.meanErrorM,
  };
  results.push(result);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  if (out !== undefined) writeFileSync(out, `[\n${results.map(line => `  ${JSON.stringify(line)}`).join(',\n')}\n]\n`);
  rmSync(folder, { recursive: true });
}
process.exit(0);
