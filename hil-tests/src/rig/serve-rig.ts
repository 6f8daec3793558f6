/** A rig's own process, from inside (rig-process.ts starts it): the runtime under test shares neither its event loop nor its core. */
import { messageOf } from '@sim2servo/models/error';
import type { RigEvent } from './rig-messages.js';

/** A rig behind a port. */
export interface RigServer<Request, Report> {
  readonly path: string;
  /** Runs until {@link stop}. */
  run(): Promise<void>;
  stop(): void;
  handle(request: Request): Report | undefined;
}

/** Waits for the setup, starts the rig with it, and serves its owner until that is gone. */
export function serveRig<Setup, Request extends object, Report>(
  start: (setup: Setup) => Promise<RigServer<Request, Report>>,
): void {
  const tell = (event: RigEvent<Report>) => process.send?.(event);
  process.once('message', async (setup: Setup) => {
    try {
      const server = await start(setup);
      process.on('message', ({ id, ...request }: Request & { id: number }) => {
        const report = server.handle(request as unknown as Request);
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
}
