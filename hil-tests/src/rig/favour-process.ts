/** What stands for another machine, a board or a broker, does not wait for its turn on a processor of this one. */
import { constants, setPriority } from 'node:os';

/** Where the system lets us, this process goes before what else runs. */
export function favourProcess(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as { info?: { code?: string } }).info?.code ?? '')) throw error;
  }
}
