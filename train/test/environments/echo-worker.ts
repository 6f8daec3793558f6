/** A worker for the tests of worker-turns: echoes, fails or exits as it is asked to. */
import { workerData } from 'node:worker_threads';
import { KitError } from '@sim2servo/models/error';
import { serveTurns } from '../../src/worker-turns.js';

interface EchoRequest {
  readonly echo?: unknown;
  readonly fail?: 'kit' | 'plain';
  readonly exit?: number;
}

const noEcho = () => new KitError('E_ECHO', 'no echo', 'ask for less', 'timeout');

await serveTurns<EchoRequest, unknown>(async () => {
  if ((workerData as { failStart?: boolean }).failStart) throw noEcho();
  return async request => {
    if (request.fail === 'kit') throw noEcho();
    if (request.fail === 'plain') throw new Error('plain');
    if (request.exit !== undefined) process.exit(request.exit);
    return request.echo;
  };
});
