/** The service's socket: a unix stream, one JSON line a request, one line back. Both ends. */
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { KitError, messageOf } from '@sim2servo/models/error';
import { parseJson } from '@sim2servo/models/json-file';
import { packError } from '@sim2servo/models/packed-error';
import type { LastError } from '../agent/health.js';
import {
  type ControlAnswer,
  type ControlRequest,
  controlAnswerSchema,
  controlRequestSchema,
  longestLine,
  type ServiceState,
} from './control-protocol.js';

export interface ControlServer {
  close(): Promise<void>;
}

/** @throws KitError E_CONTROL_SOCKET where somebody serves it already, or it can't be made */
export async function serveControl(
  path: string,
  handle: (request: ControlRequest) => Promise<ServiceState>,
): Promise<ControlServer> {
  if (await isServed(path))
    throw new KitError(
      'E_CONTROL_SOCKET',
      `another service listens on ${path}`,
      'one service drives a robot: end the other, or name another socket with --socket',
      'usage',
    );
  // Left by one that was killed.
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer(socket => {
    // A client that leaves before its answer is no concern of ours.
    socket.on('error', () => {});
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    eachLine(socket, async line => {
      socket.write(`${JSON.stringify(await answerTo(line, handle))}\n`);
    });
  });
  try {
    server.listen(path);
    await once(server, 'listening');
  } catch (error) {
    throw new KitError(
      'E_CONTROL_SOCKET',
      `can't listen on ${path}: ${messageOf(error)}`,
      'name a socket in a folder that you may write to with --socket',
      'usage',
      { cause: error },
    );
  }
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      // One that stays connected does not keep the service from ending.
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

async function answerTo(
  line: string,
  handle: (request: ControlRequest) => Promise<ServiceState>,
): Promise<ControlAnswer> {
  try {
    return { answer: await handle(parseJson(line, controlRequestSchema, 'request')) };
  } catch (error) {
    const { code, message, hint, exit } = packError(error, 'E_BUG');
    return { error: { code, message, hint, exit } };
  }
}

/** One after the other. A line that does not end is cut off with its connection. */
function eachLine(socket: Socket, take: (line: string) => Promise<void>): void {
  let rest = '';
  let last = Promise.resolve();
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    rest += text;
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) last = last.then(() => take(line)).catch(error => void socket.destroy(error));
    if (rest.length > longestLine) socket.destroy();
  });
}

async function isServed(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Asks the service that listens on `path`.
 *
 * @param patienceMs 0: for ever
 * @throws KitError its own, or E_SERVICE_ABSENT where nobody listens, E_SERVICE_ANSWER where it ends or talks nonsense
 */
export async function askService(path: string, request: ControlRequest, patienceMs = 0): Promise<ServiceState> {
  const socket = createConnection(path);
  socket.setTimeout(patienceMs, () => socket.destroy(new Error(`it said nothing for ${patienceMs} ms`)));
  try {
    await once(socket, 'connect').catch(error => {
      throw absent(path, error as NodeJS.ErrnoException);
    });
    const text = await new Promise<string>((resolve, reject) => {
      eachLine(socket, async line => resolve(line));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('it hung up')));
      socket.write(`${JSON.stringify(request)}\n`);
    }).catch(error => {
      throw new KitError(
        'E_SERVICE_ANSWER',
        `the service on ${path} did not answer: ${messageOf(error)}`,
        'see its journal: journalctl -u sim2servo',
        'failed',
        { cause: error },
      );
    });
    const said = parseJson(text, controlAnswerSchema, `answer of ${path}`);
    if ('answer' in said) return said.answer;
    throw new KitError(said.error.code, said.error.message, said.error.hint, said.error.exit);
  } finally {
    socket.destroy();
  }
}

const answerMs = 500;
/** Each time the service reads the whole policy that it would drive with. */
const newsMs = 5_000;

/** Asks, now and then, why the service does not drive; undefined where nothing is wrong, or where no service is. */
export function driveErrors(path: string): () => Promise<LastError | undefined> {
  let last: { readonly atMs: number; readonly error: LastError | undefined } | undefined;
  return async () => {
    const atMs = performance.now();
    if (last === undefined || atMs - last.atMs > newsMs) last = { atMs, error: await driveError(path) };
    return last.error;
  };
}

async function driveError(path: string): Promise<LastError | undefined> {
  try {
    const { failure } = await askService(path, { do: 'state' }, answerMs);
    return failure && { code: failure.code, message: failure.message };
  } catch (error) {
    const { code, message } = packError(error, 'E_SERVICE');
    return code === 'E_SERVICE_ABSENT' ? undefined : { code, message };
  }
}

function absent(path: string, error: NodeJS.ErrnoException): KitError {
  return error.code === 'EACCES'
    ? new KitError(
        'E_SERVICE_DENIED',
        `you may not open ${path}`,
        'log in again as a member of group sim2servo',
        'usage',
      )
    : new KitError(
        'E_SERVICE_ABSENT',
        `no service listens on ${path}: ${messageOf(error)}`,
        'start it: sudo systemctl start sim2servo',
        'noDevice',
        { cause: error },
      );
}
