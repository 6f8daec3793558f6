/** One installation at a time, and none under an arm that moves: a lock on the robot that its kernel gives back, however this ends. */
import { prelude } from './steps.js';
import type { TargetShell } from './target-shell.js';

export interface LockedPlace {
  readonly shell: TargetShell;
  readonly root: string;
  readonly system: boolean;
}

/** Holds the lock until its input ends. Of the root folder itself: nothing is left behind. */
const lockScript = `command -v flock >/dev/null || refuse E_TARGET_PROGRAM "there is no program flock" "install util-linux there"
mkdir -p "$ROOT/"
exec 9<"$ROOT/"
flock -n 9 || refuse E_PROVISION_BUSY "somebody else installs or uninstalls there just now" "wait for the end of that, then run it again"
resting
echo locked
cat >/dev/null
`;

/**
 * Does `work` while nobody else installs there.
 *
 * @throws KitError E_PROVISION_BUSY, E_ARM_DRIVEN, E_ARM_UNKNOWN, E_TARGET_*, and what `work` throws
 */
export async function alone<Result>(
  { shell, root, system }: LockedPlace,
  work: () => Promise<Result>,
): Promise<Result> {
  let release = () => {};
  const over = new Promise<void>(resolve => {
    release = resolve;
  });
  // No generator: one that waits can't be told to end, where the other side ended first.
  const untilOver: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: () => over.then(() => ({ done: true, value: undefined })),
      return: async () => ({ done: true, value: undefined }),
    }),
  };
  let held: Promise<unknown> = Promise.resolve();
  const locked = new Promise<void>(resolve => {
    held = shell.run(`${prelude(root, system)}${lockScript}`, system, untilOver, resolve);
  });
  // Where the connection is lost meanwhile, the work says so.
  const ended = held.catch(() => {});
  try {
    await Promise.race([locked, held]);
    return await work();
  } finally {
    release();
    await ended;
  }
}
