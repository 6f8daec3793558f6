/**
 * What the benchmark `bus` runs against: six emulated servos, a port that echoes at once, and one that does at the baud rate,
 * each a process of its own.
 */
import { startBusRig } from '@sim2servo/hil-tests/rig/bus/bus-rig';
import { type BusKind, busKinds } from '@sim2servo/hil-tests/rig/bus/create-bus';
import { startEchoRig } from '@sim2servo/hil-tests/rig/echo-rig';
import type { Work } from './turns.js';

export interface BusWork {
  readonly kind: BusKind;
  readonly servos: number;
  readonly baud: number;
  readonly cycles: number;
  /**
   * What the peer reads of each servo: position, speed, load, voltage and temperature as we do, or what its robots make do with. Ours
   * always reads all.
   */
  readonly reads: 'all' | 'position';
}

export const busWorks = (kind: BusKind | undefined): Work[] =>
  busKinds
    .filter(each => kind === undefined || each === kind)
    .flatMap(each =>
      (['all', 'position'] as const).map(
        reads => ({ kind: each, servos: 6, baud: 1_000_000, cycles: 4000, reads }) satisfies BusWork,
      ),
    );

/** Starts all three. @returns the arguments that name their ports, and what ends them */
export async function startBusRigs(
  work: Work,
): Promise<{ readonly args: readonly string[]; readonly stop: () => Promise<void> }> {
  const { kind, servos, baud } = work as unknown as BusWork;
  const bus = await startBusRig({ kind, servos, baudRate: baud });
  const echo = await startEchoRig();
  const paced = await startEchoRig({ baudRate: baud });
  return {
    args: ['--port', bus.path, '--echo', echo.path, '--paced', paced.path],
    stop: async () => {
      await bus.stop();
      await echo.stop();
      await paced.stop();
    },
  };
}
