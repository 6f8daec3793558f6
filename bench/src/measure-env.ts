/** Environment steps a second of a Gymnasium task, with random actions and resets: of one, or of many in this thread and workers. */
import { Random } from '@sim2servo/models/random';
import { gymRecipe } from '@sim2servo/sim/gym/gym-recipe';
import { type GymTask, gymPrefix, gymTaskNamed } from '@sim2servo/sim/gym/gym-task-named';
import { VectorEnvironment } from '@sim2servo/sim/vector/vector-environment';
import type { Figures } from './turns.js';

export interface EnvWork {
  /** Gymnasium's name: `Reacher-v5`. */
  readonly task: string;
  /** 1 is stepped by itself, more by the vectorised stepper. */
  readonly environments: number;
  /** Of the vectorised stepper, the caller's included. */
  readonly threads: number;
  readonly seconds: number;
}

/** Drawn once, then used again and again. */
const drawnActions = 200;
const warmUpS = 0.3;

/** @param turn takes some steps and says how many */
function stepsPerSecond(seconds: number, turn: () => number): number {
  let steps = 0;
  const start = performance.now();
  let spentS = 0;
  while (spentS < seconds) {
    steps += turn();
    spentS = (performance.now() - start) / 1000;
  }
  return steps / spentS;
}

async function one({ create, actuators }: GymTask, seconds: number): Promise<number> {
  const environment = await create();
  const random = new Random(0);
  const actions = Array.from({ length: drawnActions }, () => Float32Array.from(actuators, () => random.uniform(-1, 1)));
  environment.reset(random);
  const turn = () => {
    for (const action of actions) {
      environment.step(action);
      if (environment.terminated || environment.truncated) environment.reset(random);
    }
    return actions.length;
  };
  stepsPerSecond(warmUpS, turn);
  return stepsPerSecond(seconds, turn);
}

async function many(task: GymTask, { environments, threads, seconds }: EnvWork): Promise<number> {
  const vector = await VectorEnvironment.create({
    recipe: gymRecipe(task.name),
    observationSize: task.observationSize,
    actionSize: task.actuators.length,
    seeds: Array.from({ length: environments }, (_, i) => i),
    workers: threads - 1,
    callerSteps: true,
  });
  const random = new Random(0);
  const { action } = vector.rows;
  const turn = () => {
    for (let i = 0; i < action.length; i++) action[i] = random.uniform(-1, 1);
    vector.step();
    return environments;
  };
  stepsPerSecond(warmUpS, turn);
  const measured = stepsPerSecond(seconds, turn);
  await vector.dispose();
  return measured;
}

export async function measureEnv(work: EnvWork): Promise<Figures> {
  const task = gymTaskNamed(`${gymPrefix}${work.task}`);
  return { stepsPerSecond: await (work.environments === 1 ? one(task, work.seconds) : many(task, work)) };
}
