/** The simulated arm as a recipe: what `kit train` and fine-tuning collect from, and evaluate on. */
import { loadRobot } from '@sim2servo/models/robot-folder';
import { taskNamed } from '@sim2servo/models/tasks/task-named';
import type { ArmVariation } from '@sim2servo/sim/arm-variation';
import type { EnvironmentRecipe } from '@sim2servo/sim/environment-recipe';
import { RobotEnvironment } from '@sim2servo/sim/robot-environment';
import { z } from 'zod';

export interface RobotArmOptions {
  /** Name of a shipped robot, or the path of a robot folder. */
  readonly robot: string;
  readonly task: string;
  readonly controlRateHz: number;
  /** True: a new arm for each episode. A variation: always that arm. False: the nominal one. */
  readonly randomise: boolean | ArmVariation;
  /** Share of the episodes that start on the way to their goal. */
  readonly nearStarts?: number;
  /** Share of the episodes that start where the one before has ended. */
  readonly chainedStarts?: number;
}

const optionsSchema = z.looseObject({ robot: z.string(), task: z.string(), controlRateHz: z.number() });

export function robotArm(options: RobotArmOptions): EnvironmentRecipe {
  return { module: import.meta.url, options: { ...options } };
}

/** What a thread calls; see environment-recipe.ts. */
export function createEnvironment(options: Readonly<Record<string, unknown>>): Promise<RobotEnvironment> {
  const { robot, task, controlRateHz } = optionsSchema.parse(options);
  const { randomise, nearStarts = 0, chainedStarts = 0 } = options as unknown as RobotArmOptions;
  return RobotEnvironment.create({
    robot: loadRobot(robot),
    task: taskNamed(task),
    controlRateHz,
    randomise,
    nearStarts,
    chainedStarts,
  });
}
