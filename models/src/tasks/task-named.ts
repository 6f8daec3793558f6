/** The tasks that ship with the kit, by name. */
import { KitError } from '../error.js';
import { hold } from './hold.js';
import { reach } from './reach.js';
import type { Task } from './task.js';
import { track } from './track.js';

const tasks: readonly Task[] = [reach, hold, track];

export const taskNames: readonly string[] = tasks.map(task => task.name);

export function taskNamed(name: string): Task {
  const found = tasks.find(task => task.name === name);
  if (found === undefined)
    throw new KitError(
      'E_TASK_UNKNOWN',
      `there is no task '${name}'`,
      `choose one of: ${taskNames.join(', ')}`,
      'usage',
    );
  return found;
}
