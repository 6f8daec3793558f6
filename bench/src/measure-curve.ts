/** One training run of a Gymnasium task with Stable-Baselines3's settings: deterministic return against steps and wall-clock. */
import { learn } from '@sim2servo/train/learn';
import { threadsThatPay } from '@sim2servo/train/threads-that-pay';
import { defaultGymTrainingConfig } from '@sim2servo/train/training-config';
import { gymWorld } from '@sim2servo/train/training-world';

export interface CurveWork {
  readonly task: string;
  readonly seed: number;
  readonly steps: number;
  readonly every: number;
}

export interface Curve {
  /** Steps, seconds of training so far, mean return of ten deterministic episodes. */
  readonly curve: readonly (readonly [steps: number, seconds: number, meanReturn: number])[];
}

export async function measureCurve({ task, seed, steps, every }: CurveWork): Promise<Curve> {
  const config = { ...defaultGymTrainingConfig, task: `gym/${task}` };
  const secondsAt = new Map<number, number>();
  const returnAt = new Map<number, number>();
  const start = performance.now();
  await learn({
    ...gymWorld(config),
    sac: config.sac,
    loop: {
      ...config.loop,
      seed,
      steps,
      threads: threadsThatPay(config.sac),
      evaluateEvery: every,
      logEvery: every,
      checkpointEvery: steps + 1,
    },
    onMetrics: (step, scalars) => {
      const evaluated = scalars['eval/mean_reward'];
      if (evaluated === undefined) secondsAt.set(step, (performance.now() - start) / 1000);
      else returnAt.set(step, evaluated);
    },
    onBest: () => {},
    onCheckpoint: () => {},
  });
  const curve = [...returnAt].map(([step, value]) => [step, secondsAt.get(step) ?? Number.NaN, value] as const);
  return { curve };
}
