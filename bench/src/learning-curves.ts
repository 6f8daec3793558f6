/**
 * Learning curves of four Gymnasium tasks, ours and Stable-Baselines3's in turns, seed by seed, on all cores of the machine: raw results as
 * JSON, written anew after each run, and a figure beside them.
 *
 * usage: KIT_PEERS=folder node bench/dist/src/learning-curves.js OUT.json
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curvesFigure, type MeasuredCurve } from './curves-figure.js';
import type { Curve } from './measure-curve.js';
import { machine } from './turns.js';

/** Long enough for Stable-Baselines3 to come close to what it reaches in the end, or to be well on its way. */
const tasks = {
  'Pendulum-v1': 6_000,
  'InvertedPendulum-v5': 10_000,
  'InvertedDoublePendulum-v5': 15_000,
  'Reacher-v5': 15_000,
};
const seeds = [0, 1, 2];
const every = 1_000;

const out = process.argv[2] ?? 'learning-curves.json';
const peers = process.env.KIT_PEERS;
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const programs: Record<string, readonly string[]> = {
  ours: [process.execPath, here('./measure.js'), 'curve'],
  // Two folders above dist/src.
  ...(peers !== undefined && { sb3: [resolve(peers, 'sb3', 'bin', 'python'), here('../../peers/curve_sb3.py')] }),
};

const scratch = mkdtempSync(join(tmpdir(), 'kit-curves-'));
const curves: MeasuredCurve[] = [];
try {
  for (const seed of seeds) {
    for (const [task, steps] of Object.entries(tasks)) {
      for (const [program, [file, ...args]] of Object.entries(programs)) {
        process.stderr.write(`${task}, seed ${seed}, ${program}\n`);
        const work = ['--task', task, '--seed', String(seed), '--steps', String(steps), '--every', String(every)];
        const said = execFileSync(file!, [...args, ...work], {
          encoding: 'utf8',
          cwd: scratch,
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const { curve } = JSON.parse(said.trim().split('\n').at(-1)!) as Curve;
        curves.push({ program, task, seed, curve });
        const report = { benchmark: 'learning curves', machine: machine(), curves };
        writeFileSync(out, `${JSON.stringify(report)}\n`);
        writeFileSync(out.replace(/\.json$/, '.svg'), curvesFigure(curves));
      }
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
