import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import type { ControlRequest, ServiceState } from '../../src/robot/control-protocol.js';
import { askService, serveControl } from '../../src/robot/control-socket.js';

// Paths of unix sockets are short: not below a fixture.
const folder = mkdtempSync(join(tmpdir(), 'control-'));
let sockets = 0;
const freePath = () => join(folder, `${++sockets}.sock`);

const state: ServiceState = {
  motion: 'waiting',
  robot: 'desk2',
  policy: 'a'.repeat(64),
  words: 'nothing was driven yet',
  ticks: 12,
  pid: 1,
  firstTickAtMs: 1,
  rssBytes: 2,
  lostNotifications: 0,
};

/** Sends text as it is; what comes back until `lines` lines are whole or the other end hangs up. */
async function say(path: string, text: string | readonly string[], lines: number): Promise<string[]> {
  const socket = createConnection(path);
  await once(socket, 'connect');
  for (const piece of [text].flat()) {
    socket.write(piece);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  let said = '';
  for await (const chunk of socket.setEncoding('utf8')) {
    said += chunk;
    if (said.split('\n').length > lines) break;
  }
  socket.destroy();
  return said.split('\n').slice(0, -1);
}

t.test('a request is answered by what handles it', async t => {
  const path = freePath();
  const asked: ControlRequest[] = [];
  const server = await serveControl(path, async request => {
    asked.push(request);
    return state;
  });
  t.same(await askService(path, { do: 'state' }), state);
  t.same(await askService(path, { do: 'start', seconds: 2.5 }), state);
  t.same(asked, [{ do: 'state' }, { do: 'start', seconds: 2.5 }]);
  await server.close();
  t.notOk(existsSync(path), 'the socket goes with the service');
});

t.test('lines of one connection are answered in their order, however they were cut', async t => {
  const path = freePath();
  const server = await serveControl(path, async request => {
    // The first takes longer.
    if (request.do === 'start') await new Promise(resolve => setTimeout(resolve, 30));
    return { ...state, words: request.do };
  });
  const answers = await say(path, ['{"do":"start"}\n{"do":"st', 'op"}', '\n{"do":"state"}\n'], 3);
  t.same(
    answers.map(line => JSON.parse(line).answer.words),
    ['start', 'stop', 'state'],
  );
  await server.close();
});

t.test('what is no request is answered with what is wrong, and nothing is done', async t => {
  const path = freePath();
  let handled = 0;
  const server = await serveControl(path, async () => {
    handled++;
    return state;
  });
  for (const line of ['move!', '{"do":"dance"}', '{"do":"start","seconds":-1}', '{"do":"stop","now":true}', '[]']) {
    const [answer] = await say(path, `${line}\n`, 1);
    t.match(JSON.parse(answer!), { error: { code: /E_FILE_(JSON|SCHEMA)/ } }, line);
  }
  t.equal(handled, 0);
  await server.close();
});

t.test('a line without end is cut off with its connection, and others are served on', async t => {
  const path = freePath();
  const server = await serveControl(path, async () => state);
  t.same(await say(path, 'x'.repeat(100_000), 1), []);
  t.same(await askService(path, { do: 'state' }), state);
  await server.close();
});

t.test('an error keeps its code, its hint and its exit on the way', async t => {
  const path = freePath();
  const error = new KitError('E_PORT_ABSENT', 'there is no port', 'plug it in', 'noDevice');
  const server = await serveControl(path, () => Promise.reject(error));
  await t.rejects(askService(path, { do: 'start' }), error);
  await server.close();
});

t.test('a client that leaves before its answer harms nobody', async t => {
  const path = freePath();
  const server = await serveControl(path, async request => {
    await new Promise(resolve => setTimeout(resolve, request.do === 'start' ? 30 : 0));
    return state;
  });
  const socket = createConnection(path);
  await once(socket, 'connect');
  socket.write('{"do":"start"}\n');
  socket.destroy();
  await new Promise(resolve => setTimeout(resolve, 60));
  t.same(await askService(path, { do: 'state' }), state);
  await server.close();
});

t.test('one service a socket: the second is refused, one that was killed leaves no obstacle', async t => {
  const path = freePath();
  const server = await serveControl(path, async () => state);
  await t.rejects(
    serveControl(path, async () => state),
    { code: 'E_CONTROL_SOCKET', message: /another service listens/ },
  );
  await server.close();
  writeFileSync(path, '');
  const next = await serveControl(path, async () => state);
  t.same(await askService(path, { do: 'state' }), state);
  await next.close();
});

t.test('a socket that can not be made is an error with its path', async t => {
  const path = join(folder, 'no', 'such', 'folder.sock');
  await t.rejects(
    serveControl(path, async () => state),
    { code: 'E_CONTROL_SOCKET', message: new RegExp(path), hint: /--socket/ },
  );
});

t.test('where nobody listens, and where somebody hangs up or talks nonsense', async t => {
  await t.rejects(askService(freePath(), { do: 'state' }), { code: 'E_SERVICE_ABSENT', exit: 'noDevice' });
  for (const [text, code] of [
    ['', 'E_SERVICE_ANSWER'],
    ['hello\n', 'E_FILE_JSON'],
    ['{"answer":{"motion":"flying"}}\n', 'E_FILE_SCHEMA'],
  ] as const) {
    const path = freePath();
    const server = createServer(socket => socket.end(text)).listen(path);
    await once(server, 'listening');
    await t.rejects(askService(path, { do: 'state' }), { code }, text);
    server.close();
  }
});
