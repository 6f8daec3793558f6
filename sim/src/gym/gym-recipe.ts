/** Gymnasium's tasks as recipes, for threads that make their own environment. */
import type { Environment } from '../environment.js';
import type { EnvironmentRecipe } from '../environment-recipe.js';
import { gymTaskNamed } from './gym-task-named.js';

/**
 * @param task      with the prefix, `gym/Reacher-v5`
 * @param scenePath an MJCF file instead of the shipped model
 */
export function gymRecipe(task: string, scenePath?: string): EnvironmentRecipe {
  return { module: import.meta.url, options: { task, scenePath } };
}

/** What a thread calls; see environment-recipe.ts. */
export function createEnvironment(options: Readonly<Record<string, unknown>>): Promise<Environment> {
  const { task, scenePath } = options as { readonly task: string; readonly scenePath?: string };
  return gymTaskNamed(task).create(scenePath);
}
