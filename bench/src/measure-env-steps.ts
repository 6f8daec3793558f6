/**
 * Environment steps a second of one task, with random actions and resets: in this thread, or many environments in worker threads. A
 * program of its own, so that env-steps.ts can hold it to as many cores as its peer gets. Prints one line of JSON.
 *
 * usage: node bench/dist/src/measure-env-steps.js --task gym/Reacher-v5 [--workers 2] [--seconds 2]
 */
import { parseArgs } from 'node:util';
import { Random } from '@sim2servo/models/random';
import { gymRecipe } from '@sim2servo/sim/gym/gym-recipe';
import { type GymTask, gymTaskNamed } from '@sim2servo/sim/gym/gym-task-named';
import { VectorEnvironment } from '@sim2servo/sim/vector/vector-environment';

/** Environments of the vectorised stepper, whatever its threads. */
const environments = 32;
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

async function oneThread({ create, actuators }: GymTask, seconds: number): Promise<number> {
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

async function inWorkers(task: GymTask, workers: number, seconds: number): Promise<number> {
  const vector = await VectorEnvironment.create({
    recipe: gymRecipe(task.name),
    observationSize: task.observationSize,
    actionSize: task.actuators.length,
    seeds: Array.from({ length: environments }, (_, i) => i),
    workers,
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

const { values: options } = parseArgs({
  options: { task: { type: 'string' }, workers: { type: 'string' }, seconds: { type: 'string', default: '2' } },
});
const task = gymTaskNamed(options.task ?? '');
const seconds = Number(options.seconds);
const workers = Number(options.workers ?? 0);
const measured = await (workers === 0 ? oneThread(task, seconds) : inWorkers(task, workers, seconds));
console.log(JSON.stringify({ program: 'sim2servo', workers, stepsPerSecond: measured }));
