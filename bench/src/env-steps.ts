/**
 * Environment steps a second of Gymnasium's tasks: ours on MuJoCo's WebAssembly build against Gymnasium on native MuJoCo, in turns, on the
 * same machine and each on one core; and ours in one and two worker threads.
 *
 * Prints one JSON object, and writes it where `--out` says. The peer is run where KIT_PEER_PYTHON names a Python that has
 * `gymnasium[mujoco]`, of the MuJoCo version that sim/package.json names. Cores are held to with `taskset`, where there is one.
 *
 * usage: node bench/dist/src/env-steps.js [--seconds 2] [--repeats 3] [--out bench/results/env-steps.json]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gymPrefix, gymTasks } from '@sim2servo/sim/gym/gym-task-named';

interface Measurement {
  readonly program: string;
  readonly stepsPerSecond: number;
}

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    repeats: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});
const python = process.env.KIT_PEER_PYTHON;
const pinned = spawnSync('taskset', ['--version']).status === 0;
const ownProgram = fileURLToPath(new URL('./measure-env-steps.js', import.meta.url));
// Two folders above dist/src.
const peerProgram = fileURLToPath(new URL('../../peers/gym_steps.py', import.meta.url));

/** Runs a program that prints one measurement, on the first `cores` cores. */
function measure(cores: number, ...command: readonly string[]): Measurement {
  const [program, ...args] = pinned ? ['taskset', '--cpu-list', `0-${cores - 1}`, ...command] : command;
  return JSON.parse(execFileSync(program!, args, { encoding: 'utf8' })) as Measurement;
}

function measureOurs(task: string, workers: number): Measurement {
  const settings = ['--task', task, '--workers', String(workers), '--seconds', options.seconds];
  return measure(Math.max(1, workers), process.execPath, ownProgram, ...settings);
}

const loadBefore = loadavg()[0];
const results = [];
for (const { name } of gymTasks) {
  const ours: Measurement[] = [];
  const peer: Measurement[] = [];
  const oneWorker: Measurement[] = [];
  const twoWorkers: Measurement[] = [];
  for (let i = 0; i < Number(options.repeats); i++) {
    ours.push(measureOurs(name, 0));
    if (python !== undefined)
      peer.push(measure(1, python, peerProgram, '--task', name.slice(gymPrefix.length), '--seconds', options.seconds));
    oneWorker.push(measureOurs(name, 1));
    twoWorkers.push(measureOurs(name, 2));
  }
  results.push({
    task: name,
    ours,
    peer,
    oneWorker,
    twoWorkers,
    medianRatio: medianRatio(ours, peer),
    medianScaling: medianRatio(twoWorkers, oneWorker),
  });
}
const report = {
  benchmark: 'environment steps per second',
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    platform: process.platform,
    pinned,
    loadBefore,
  },
  results,
};
if (options.out !== undefined) {
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(report, undefined, 2)}\n`);
}
console.log(JSON.stringify(report));

/** Of the ratios of each repeat; null where there is nothing to compare with. */
function medianRatio(of: readonly Measurement[], to: readonly Measurement[]): number | null {
  const ratios = to.map(({ stepsPerSecond }, i) => of[i]!.stepsPerSecond / stepsPerSecond);
  return ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? null;
}
