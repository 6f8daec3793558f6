/**
 * A program for killed-run.test.ts: begins the run in a folder, or goes on with it, and prints what its checkpoint comes to in the end.
 *
 * usage: node killable-run.js FOLDER THREADS
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resumeRun, trainRun } from '../../src/train-run.js';
import { smallConfig } from './small-run.js';

const [folder, threads] = process.argv.slice(2) as [string, string];
const config = {
  ...smallConfig,
  loop: { ...smallConfig.loop, steps: 2400, checkpointEvery: 160, threads: Number(threads) },
};
const begun = existsSync(join(folder, 'checkpoints', 'latest.ckpt'));
if (!begun) rmSync(folder, { recursive: true, force: true });
const outcome = await (begun ? resumeRun(folder) : trainRun(config, folder));
if (!outcome.finished) throw new Error('the run did not come to its end');
const digest = createHash('sha256').update(readFileSync(outcome.folder.latestCheckpoint)).digest('hex');
console.log(JSON.stringify({ begun, digest }));
