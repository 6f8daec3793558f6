/**
 * How a thread makes its own environment: a module that exports `createEnvironment(options)`, and the options. MuJoCo objects cannot
 * cross threads, a recipe can; it also stands in a run's configuration, so a resumed run builds the same world.
 */
import { KitError, messageOf } from '@sim2servo/models/error';
import type { Environment } from './environment.js';

export interface EnvironmentRecipe {
  /** What `import()` takes: a package path or a `file:` URL. */
  readonly module: string;
  /** Plain data for the module's `createEnvironment`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a recipe's module exports. */
export interface EnvironmentModule {
  createEnvironment(options: Readonly<Record<string, unknown>>): Promise<Environment>;
}

export async function createEnvironment(recipe: EnvironmentRecipe): Promise<Environment> {
  let module: Partial<EnvironmentModule>;
  try {
    module = (await import(recipe.module)) as Partial<EnvironmentModule>;
  } catch (error) {
    throw new KitError(
      'E_ENVIRONMENT',
      `Cannot load the environment ${recipe.module}: ${messageOf(error)}`,
      'Check the name of the module.',
      'usage',
      {
        cause: error,
      },
    );
  }
  if (module.createEnvironment === undefined)
    throw new KitError(
      'E_ENVIRONMENT',
      `${recipe.module} exports no createEnvironment.`,
      'Export createEnvironment(options) from it.',
      'usage',
    );
  return module.createEnvironment(recipe.options);
}
