/** Which port an adapter is: it is unplugged and plugged in again, and the list of ports says the rest. Nobody has to press a key. */
import type { Clock } from '@sim2servo/models/clock';
import { KitError } from '@sim2servo/models/error';

/** What a person is to do now. */
export type PlugRequest = 'plug' | 'unplug';

export interface FindPortOptions {
  /** Paths of the ports that are there now. */
  readonly list: () => Promise<readonly string[]>;
  readonly clock: Clock;
  /** For each of the two steps. */
  readonly timeoutUs: number;
  readonly signal: AbortSignal;
  readonly onRequest: (request: PlugRequest) => void;
}

const lookEveryUs = 200_000;
/** An adapter with two ports has both of them a moment later; and a name may come before its device can be opened. */
const settleUs = 500_000;

/**
 * Asks to unplug, then to plug in. Who plugs in at once instead of unplugging is understood, too.
 *
 * @returns the ports that came, in order: more than one where the adapter has several
 * @throws KitError E_FIND_PORT where nothing happens in time, E_INTERRUPTED
 */
export async function findPort(options: FindPortOptions): Promise<readonly string[]> {
  let there = await options.list();
  if (there.length > 0) {
    options.onRequest('unplug');
    const change = await awaitChange(options, there, 'unplug');
    if (change.came.length > 0) return change.came;
    there = change.now;
  }
  options.onRequest('plug');
  return (await awaitChange(options, there, 'plug')).came;
}

interface Change {
  readonly now: readonly string[];
  readonly came: readonly string[];
}

/** Waits until a port comes, or goes where one is to be unplugged. */
async function awaitChange(
  { list, clock, timeoutUs, signal }: FindPortOptions,
  before: readonly string[],
  request: PlugRequest,
): Promise<Change> {
  const until = clock.nowUs() + timeoutUs;
  const look = async (): Promise<Change & { readonly went: boolean }> => {
    const now = await list();
    const came = now.filter(path => !before.includes(path)).sort();
    return { now, came, went: before.some(path => !now.includes(path)) };
  };
  for (;;) {
    const { came, went } = await look();
    if (came.length > 0 || (request === 'unplug' && went)) {
      await clock.waitUntil(clock.nowUs() + settleUs);
      return look();
    }
    if (signal.aborted) throw new KitError('E_INTERRUPTED', 'interrupted: no port was found', 'try again', 'interrupt');
    if (clock.nowUs() >= until)
      throw new KitError(
        'E_FIND_PORT',
        `no port ${request === 'plug' ? 'came' : 'went'} within ${timeoutUs / 1e6} s; there ${before.length === 0 ? 'is none' : `are: ${before.join(', ')}`}`,
        'try another cable, one that carries data; dmesg shows what the system saw',
        'timeout',
      );
    await clock.waitUntil(clock.nowUs() + lookEveryUs);
  }
}
