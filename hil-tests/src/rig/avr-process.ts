/** The rig's own process (avr-rig.ts starts it): the runtime under test shares neither its event loop nor its core. */
import { constants, setPriority } from 'node:os';
import { messageOf } from '@sim2servo/models/error';
import { AvrServer } from './avr-server.js';
import type { RigEvent, RigRequest, RigSetup } from './rig-messages.js';

const tell = (event: RigEvent) => process.send?.(event);

process.once('message', async (setup: RigSetup) => {
  try {
    const server = await AvrServer.start(setup);
    favour();
    process.on('message', ({ id, ...request }: RigRequest & { id: number }) => {
      const report = server.handle(request as RigRequest);
      tell({ kind: 'reply', id, ...(report && { report }) });
    });
    process.on('disconnect', () => server.stop());
    tell({ kind: 'ready', path: server.path });
    await server.run();
    process.exit(0);
  } catch (error) {
    tell({ kind: 'failed', message: messageOf(error) });
    process.exitCode = 1;
    process.disconnect?.();
  }
});

/** A board does not wait for its turn on a processor. Where the system lets us, the rig goes before what else runs; else it reports its lag. */
function favour(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH);
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes((error as { info?: { code?: string } }).info?.code ?? '')) throw error;
  }
}
