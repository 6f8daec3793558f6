/**
 * `npm start`: the whole thread on desk2. Learn in simulation, export, deploy, run on the real firmware in real time, kill it, put it on
 * an arm that differs, learn on from that arm's log.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expectationOf } from '@sim2servo/models/bundle/signed-manifest';
import { shortDigest } from '@sim2servo/models/digest';
import { KitError } from '@sim2servo/models/error';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { deployToFolder } from '@sim2servo/runtime/releases/deploy-to-folder';
import type { RunReport } from '@sim2servo/runtime/run-policy';
import { changedArm } from '@sim2servo/sim/arm-variation';
import { exportBundle } from '@sim2servo/train/export-bundle';
import { finetune } from '@sim2servo/train/finetune';
import { trainRun } from '@sim2servo/train/train-run';
import { defaultTrainingConfig } from '@sim2servo/train/training-config';
import type { AddCommand, CommandContext } from '../command-context.js';
import { wholeNumber } from '../number-option.js';
import { duration, ProgressLine } from '../progress-line.js';
import { loggedTrails } from '../tour/logged-trails.js';
import type { TourResult } from '../tour/tour-result.js';
import { collectRun, heldOutRun, liveRun, targets } from '../tour/tour-steps.js';
import { workspaceFigure } from '../workspace-figure.js';
import { trainingLine } from './train.js';

/** Share of the targets that must be reached. */
const passShare = 0.9;

export const addTour: AddCommand = (program, context) => {
  program
    .command('tour')
    .description('npm start: train, export, deploy, run, stop and learn on, on the virtual desk2')
    .option('--seed <n>', 'everything random follows from it', wholeNumber, 0)
    .option('--out <folder>', 'where everything goes (default: runs/tour-TIME)')
    .action((options: { seed: number; out?: string }) => tour(options, context));
};

/** Prints the steps, each with its number, its time and its result. */
class Steps {
  readonly #context: CommandContext;
  readonly line: ProgressLine;
  readonly startedMs = performance.now();
  #number = 0;

  constructor(context: CommandContext) {
    this.#context = context;
    this.line = new ProgressLine(context.io);
  }

  async step<Result>(title: string, work: () => Promise<Result>, words: (result: Result) => string): Promise<Result> {
    if (this.#context.signal.aborted)
      throw new KitError('E_INTERRUPTED', 'interrupted', 'npm start begins anew', 'interrupt');
    const number = ++this.#number;
    this.#context.io.err(`\n${number}. ${title}`);
    const from = performance.now();
    const result = await work();
    this.line.done();
    this.#context.io.err(`   ${words(result)}  (${duration((performance.now() - from) / 1000)})`);
    return result;
  }
}

const mm = (metres: number) => `${(metres * 1000).toFixed(1)} mm`;
const reached = (report: RunReport) =>
  `${report.reached} of ${report.targets.length} targets reached, mean error ${mm(report.meanErrorM)}`;

async function tour(options: { seed: number; out?: string }, context: CommandContext): Promise<void> {
  const { signal } = context;
  const steps = new Steps(context);
  const out = resolve(options.out ?? `runs/tour-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`);
  const at = (...parts: string[]) => join(out, ...parts);
  const robot = loadRobot('desk2');
  mkdirSync(at('logs', 'changed'), { recursive: true });
  context.io.err(
    `The whole thread on desk2, two hobby servos on an Arduino, with no hardware: about two minutes. Everything goes to ${out}`,
  );

  const run = await steps.step(
    'Learn to reach points: Soft Actor-Critic in MuJoCo, arms drawn at random',
    () =>
      trainRun({ ...defaultTrainingConfig, loop: { ...defaultTrainingConfig.loop, seed: options.seed } }, at('train'), {
        onProgress: progress => steps.line.show(() => `   ${trainingLine(progress)}`),
        signal,
      }),
    result => `${result.step} steps at ${result.stepsPerSecond.toFixed(0)}/s, ${result.updates} updates`,
  );
  const judged = run.best?.evaluation.deterministic;
  if (!run.finished || judged === undefined)
    throw new KitError('E_INTERRUPTED', 'training was interrupted', run.resumeHint ?? 'run it again', 'interrupt');

  const bundle = await steps.step(
    'Export the deterministic policy to ONNX, with golden vectors',
    () => exportBundle({ run: run.folder.path, out: at('bundle') }),
    result =>
      `${result.bytes} bytes; ONNX Runtime agrees with the trainer within ${result.goldenMaxError.toExponential(1)}`,
  );

  const store = at('robot');
  const deployFirst = () => deployToFolder(bundle.folder, store, expectationOf(robot));
  await steps.step(
    'Deploy: verify, copy, test on the target, switch',
    deployFirst,
    result => `${shortDigest(result.digest)} is current; inference p99 ${result.inferUs.p99.toFixed(0)} µs`,
  );

  const live = await steps.step(
    `Run ${targets} unseen targets at 50 Hz over a serial port, on the real ATmega328P image; then kill the program in mid-motion`,
    () =>
      liveRun(robot, store, at('logs'), context.io.err, signal, async () => {
        rmSync(store, { recursive: true });
        await deployFirst();
      }),
    result =>
      `${reached(result.report)}, ${result.report.missed} of ${result.report.ticks} ticks missed; after kill -9 the board held the arm within ${result.holdMs.toFixed(0)} ms`,
  );

  // From here on the bundles themselves are measured: out of the store the new one would drive slowly at first, on trial.
  const before = await steps.step(
    'Put the policy on an arm that differs: load +50 %, servo gain −20 %, horns 3° askew (same firmware, virtual time)',
    () => heldOutRun(robot, bundle.folder, changedArm, at('logs', 'changed-before.mcap'), signal),
    reached,
  );

  const collected = await steps.step(
    'Let that arm work and log every transition',
    () => collectRun(robot, bundle.folder, at('logs', 'changed', 'collected.mcap'), options.seed, signal),
    result => `${result.ticks} ticks of ${result.seconds.toFixed(0)} s`,
  );
  if (collected.end.error !== undefined) throw collected.end.error;

  const tuned = await steps.step(
    'Learn on from the log, off-policy, half logged and half simulated, and deploy the result, to be tried by the next run',
    async () => {
      const result = await finetune({
        from: bundle.folder,
        logs: at('logs', 'changed'),
        out: at('finetune'),
        bundle: at('bundle-finetuned'),
        seed: options.seed,
        onProgress: progress => steps.line.show(() => `   ${trainingLine(progress)}`),
        signal,
      });
      await deployToFolder(result.bundle.folder, store, expectationOf(robot));
      return result;
    },
    result => `${result.transitions} transitions, ${result.updates} updates`,
  );

  const after = await steps.step(
    'The same targets on the changed arm, with the new policy',
    () => heldOutRun(robot, tuned.bundle.folder, changedArm, at('logs', 'changed-after.mcap'), signal),
    reached,
  );

  const picture = at('workspace.svg');
  writeFileSync(
    picture,
    workspaceFigure(robot.spec, [
      { title: 'As trained', trails: loggedTrails(live.report.log!.path, live.report.targets) },
      { title: 'Changed arm', trails: loggedTrails(at('logs', 'changed-before.mcap'), before.targets) },
      { title: 'Changed arm, fine-tuned', trails: loggedTrails(at('logs', 'changed-after.mcap'), after.targets) },
    ]),
  );

  const failures: string[] = [];
  if (live.report.reached < passShare * targets)
    failures.push(`only ${live.report.reached} of ${targets} targets were reached`);
  if (!(after.meanErrorM < before.meanErrorM))
    failures.push(`fine-tuning did not help: ${mm(before.meanErrorM)} before, ${mm(after.meanErrorM)} after`);
  const { timing } = live.report;
  const pick = ({ p50, p99, p999 }: { p50: number; p99: number; p999: number }) => ({ p50, p99, p999 });
  const result: TourResult = {
    train: {
      steps: run.step,
      seconds: run.seconds,
      stepsPerSecond: run.stepsPerSecond,
      updatesPerSecond: run.updatesPerSecond,
      return: judged.meanReturn,
      run: run.folder.path,
    },
    export: { bundle: bundle.folder, bytes: bundle.bytes, goldenMaxError: bundle.goldenMaxError },
    run: {
      ticks: live.report.ticks,
      missed: live.report.missed,
      reached: live.report.reached,
      targets,
      meanErrorMm: live.report.meanErrorM * 1000,
      attempts: live.attempts,
      log: live.report.log!.path,
      realTimeFactor: live.realTimeFactor,
      keptUp: live.keptUp,
      periodErrorUs: pick(timing.periodErrorUs),
      inferUs: pick(timing.inferUs),
      sensorToRegisterUs: live.keptUp ? live.sensorToRegisterUs : null,
      registerToPulseUs: live.keptUp ? live.registerToPulseUs : null,
    },
    stop: { holdMs: live.holdMs },
    finetune: {
      transitions: tuned.transitions,
      errorNominalMm: live.report.meanErrorM * 1000,
      errorBeforeMm: before.meanErrorM * 1000,
      errorAfterMm: after.meanErrorM * 1000,
      bundle: tuned.bundle.folder,
    },
    figures: [picture, join(run.folder.figures, 'learning-curve.svg')],
    passed: failures.length === 0,
    failures,
    seconds: (performance.now() - steps.startedMs) / 1000,
  };
  writeFileSync(at('result.json'), `${JSON.stringify(result, null, 2)}\n`);
  context.result(result, () => summary(result, out));
  if (failures.length > 0) context.exit('failed');
}

function summary(result: TourResult, out: string): string {
  const { run, finetune: tuned, stop } = result;
  const show = (path: string) => relative(process.cwd(), path);
  const us = (p: { p50: number; p99: number }) => `${p.p50.toFixed(0)} / ${p.p99.toFixed(0)} µs`;
  return [
    '',
    result.passed ? 'It works.' : `It did not work: ${result.failures.join('; ')}.`,
    `  learnt       ${result.train.steps} steps in ${duration(result.train.seconds)}; the policy has ${result.export.bytes} bytes`,
    `  reached      ${run.reached} of ${run.targets} unseen targets in real time, mean fingertip error ${run.meanErrorMm.toFixed(1)} mm`,
    `  kept time    ${run.missed} of ${run.ticks} ticks missed; p50 / p99: period error ${us(run.periodErrorUs)}, inference ${us(run.inferUs)}`,
    run.sensorToRegisterUs !== null && run.registerToPulseUs !== null
      ? `               sensor to register ${us(run.sensorToRegisterUs)}, register to end of pulse ${us(run.registerToPulseUs)}`
      : `               the machine was too busy to emulate the board in real time: latencies inside it are not reported`,
    `  stopped      ${stop.holdMs.toFixed(0)} ms after kill -9 the firmware held the arm by itself`,
    `  learnt on    ${tuned.errorBeforeMm.toFixed(1)} mm on the changed arm before, ${tuned.errorAfterMm.toFixed(1)} mm after, from ${tuned.transitions} logged transitions`,
    `  took         ${duration(result.seconds)}`,
    '',
    `Everything lies in ${show(out)}: train/ (run folder, figures), bundle/, robot/ (releases), logs/ (open them in Foxglove), result.json`,
    `  picture: ${show(result.figures[0]!)}`,
    'Next, try:',
    `  npx kit inspect ${show(join(out, 'bundle'))}`,
    `  npx kit logs info ${show(run.log)}`,
    '  npx kit hil up            (a virtual board on a port of its own)',
    '  npx kit --help',
  ].join('\n');
}
