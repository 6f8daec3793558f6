/**
 * One measurement of ours, in a process of its own: prints its figures as one JSON line.
 *
 * usage: node bench/dist/src/measure.js learner --hidden 256 --batch 256 --threads 1 --updates 500
 */
import { parseArgs } from 'node:util';
import { type ActorWork, measureActor } from './measure-actor.js';
import { type MeasureBusWork, measureBus } from './measure-bus.js';
import { type Curve, type CurveWork, measureCurve } from './measure-curve.js';
import { type EnvWork, measureEnv } from './measure-env.js';
import { type JitterWork, measureJitter } from './measure-jitter.js';
import { type LearnerWork, measureLearner } from './measure-learner.js';
import { type LoopWork, measureLoop } from './measure-loop.js';
import type { Figures } from './turns.js';

const { positionals, tokens } = parseArgs({ allowPositionals: true, strict: false, tokens: true });
const work: Record<string, string | number> = {};
for (const [i, token] of tokens.entries()) {
  const value = tokens[i + 1];
  if (token.kind !== 'option' || value?.kind !== 'positional') continue;
  work[token.name] = Number.isNaN(Number(value.value)) ? value.value : Number(value.value);
}
const measures: Record<string, () => Promise<Figures | Curve>> = {
  learner: () => measureLearner(work as unknown as LearnerWork),
  env: () => measureEnv(work as unknown as EnvWork),
  curve: () => measureCurve(work as unknown as CurveWork),
  loop: () => measureLoop(work as unknown as LoopWork),
  jitter: () => measureJitter(work as unknown as JitterWork),
  bus: () => measureBus(work as unknown as MeasureBusWork),
  actor: () => measureActor(work as unknown as ActorWork),
};
console.log(JSON.stringify(await measures[positionals[0]!]!()));
