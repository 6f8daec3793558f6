/** The Python that has programs of others: KIT_PYTHON names it. `npm run conformance` does where nobody has. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';

const named = process.env.KIT_PYTHON;
/** A path counts from here, wherever it is run. */
export const kitPython = named !== undefined && named !== basename(named) ? resolve(named) : named;

/**
 * Why a client can't run; false where it can.
 *
 * @throws Error where the Python does not run, or has the module and can't load it: neither is to pass for a client that nobody installed
 */
export function lacks(module: string, python = kitPython): string | false {
  if (python === undefined) return 'KIT_PYTHON names no Python that has the foreign clients';
  const { status, stderr, error } = spawnSync(python, ['-c', `import ${module}`], { encoding: 'utf8', cwd: tmpdir() });
  if (error !== undefined) throw new Error(`the Python of KIT_PYTHON, ${python}, does not run: ${error.message}`);
  if (status === 0) return false;
  const why = `${python} can't import ${module}: ${stderr.trim().split('\n').at(-1)}`;
  if (/ModuleNotFoundError:/.test(why)) return why;
  throw new Error(why);
}
