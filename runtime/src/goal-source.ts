/** What the arm is to do, one goal after the other. Each goal is one episode. */
import { KitError } from '@sim2servo/models/error';
import type { Random } from '@sim2servo/models/random';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import type { Task } from '@sim2servo/models/tasks/task';

export interface GoalSource {
  /** Writes the next goal into `goal` ([3] m) and says for how many ticks it is pursued; 0 when there is none left. */
  next(goal: Float64Array): number;
  /**
   * Asked at every fresh sample while a goal is pursued: whether it ends with this tick although its time is not over. One that is `void`
   * counts for nothing: it is no result, and its last record is not truncated.
   */
  ends?(): 'counted' | 'void' | undefined;
}

/** The given goals, each for `ticksEach` control ticks. */
export function listedGoals(goals: readonly ArrayLike<number>[], ticksEach: number): GoalSource {
  checkTicks(ticksEach);
  for (const [i, goal] of goals.entries())
    if (goal.length !== 3 || !Array.from(goal).every(Number.isFinite))
      throw new KitError(
        'E_GOAL',
        `goal ${i} is [${Array.from(goal).join(', ')}]: a goal is three finite numbers in m`,
        'mend the list of goals',
        'usage',
      );
  let at = 0;
  return {
    next(out) {
      const goal = goals[at++];
      if (goal === undefined) return 0;
      out.set(goal);
      return ticksEach;
    },
  };
}

/** Goals drawn by the task itself, without end. */
export function drawnGoals(spec: RobotSpec, task: Task, random: Random, ticksEach: number): GoalSource {
  checkTicks(ticksEach);
  // Drawn one ahead: the first draw of a task may take long (reach finds out what the arm can reach), and the loop must not wait for it.
  const upcoming = new Float64Array(3);
  task.sampleGoal(spec, random, upcoming);
  return {
    next(out) {
      out.set(upcoming);
      task.sampleGoal(spec, random, upcoming);
      return ticksEach;
    },
  };
}

/** One goal without end: the fingertip at home, where the lead-in leaves it. For an arm that a person moves. */
export const endlessGoal: GoalSource = { next: () => Number.POSITIVE_INFINITY };

function checkTicks(ticksEach: number): void {
  if (!Number.isInteger(ticksEach) || ticksEach < 1)
    throw new KitError(
      'E_GOAL',
      `a goal can't be pursued for ${ticksEach} ticks`,
      'give a whole number from 1 up',
      'usage',
    );
}
