/** Steps a second of the whole training loop while it learns (environment, replay, update, metrics), of a Gymnasium task with 2×256 networks. */
import { learn } from '@sim2servo/train/learn';
import { defaultGymTrainingConfig, type LoopConfig } from '@sim2servo/train/training-config';
import { gymWorld } from '@sim2servo/train/training-world';
import type { Figures } from './turns.js';

export interface LoopWork {
  readonly task: string;
  readonly threads: number;
  /** Steps that are timed. */
  readonly steps: number;
  /** As in the loop's configuration; decided by the cores unless given. */
  readonly sampler?: LoopConfig['sampler'];
}

/** Steps with updates before the clock starts. */
const warmUp = 500;

export async function measureLoop({ task, threads, steps, sampler }: LoopWork): Promise<Figures> {
  const config = { ...defaultGymTrainingConfig, task: `gym/${task}` };
  const begin = config.loop.learningStarts + warmUp;
  const never = begin + steps + 1;
  const times = new Map<number, number>();
  await learn({
    ...gymWorld(config),
    sac: config.sac,
    loop: {
      ...config.loop,
      threads,
      sampler,
      steps: begin + steps,
      evaluateEvery: never,
      checkpointEvery: never,
      logEvery: 100,
    },
    onMetrics: step => times.set(step, performance.now()),
    onBest: () => {},
    onCheckpoint: () => {},
  });
  const timed = [...times].filter(([step]) => step >= begin);
  const [first, last] = [timed[0]!, timed.at(-1)!];
  return { stepsPerSecond: ((last[0] - first[0]) / (last[1] - first[1])) * 1000 };
}
