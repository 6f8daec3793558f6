/** Worker scripts and environments that go wrong, for the tests of what happens then. */
import { KitError } from '@sim2servo/models/error';
import type { Environment } from '@sim2servo/sim/environment';

export async function createEnvironment(options: Readonly<Record<string, unknown>>): Promise<Environment> {
  if (options.when === 'create') throw new KitError('E_SCENE', 'the scene is broken', 'mend it', 'usage');
  let left = Number(options.after);
  return {
    observationSize: 21,
    actionSize: 2,
    observation: new Float32Array(21),
    executedAction: new Float32Array(2),
    terminated: false,
    truncated: false,
    error: Number.NaN,
    reset() {},
    step() {
      if (--left < 0) {
        if (options.when === 'exit') process.exit(3);
        throw new KitError('E_PHYSICS', 'the physics blew up', 'smaller steps', 'failed');
      }
      return 0;
    },
    save: () => ({}),
    load() {},
    dispose() {},
  };
}
