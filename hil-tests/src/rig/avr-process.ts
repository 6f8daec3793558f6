/** The rig's own process (avr-rig.ts starts it): the runtime under test shares neither its event loop nor its core. */
import { messageOf } from '@sim2servo/models/error';
import { AvrServer } from './avr-server.js';
import type { RigEvent, RigRequest, RigSetup } from './rig-messages.js';

const tell = (event: RigEvent) => process.send?.(event);

process.once('message', async (setup: RigSetup) => {
  try {
    const server = await AvrServer.start(setup);
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
