import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { AgentLines, linesOf, maxLineBytes, serveLines } from '../../src/agent/agent-lines.js';
import { type Answers, protocolVersion, type Request } from '../../src/agent/protocol.js';
import { type Asking, RobotAgent } from '../../src/agent/robot-agent.js';

const folder = t.testdir();
const newAgent = () => new RobotAgent({ store: join(folder, 'store'), robot: 'so101' });
const collected = async (input: AsyncIterable<string>) => {
  const lines: string[] = [];
  for await (const line of input) lines.push(line);
  return lines;
};
const entry = {
  at: new Date(0).toISOString(),
  id: 'a',
  digest: 'a'.repeat(64),
  event: 'shadow',
  words: 'it looks on',
  seconds: 5,
} as const;

/** Both ends, and what goes between them. */
function pair(agent: RobotAgent, lost = async () => new KitError('E_LOST', 'gone', 'again')) {
  const there = new PassThrough();
  const back = new PassThrough();
  const served = serveLines(agent, there, back).then(() => back.end());
  return { lines: new AgentLines(back, there, lost), there, back, served };
}

t.test('lines come whole, however they are cut', async t => {
  const text = 'one\ntwo is löng\n\nlast';
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, 100]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, i * size + size),
    );
    t.same(
      await collected(linesOf(Readable.from(chunks))),
      ['one', 'two is löng', '', 'last'],
      `${size} bytes a chunk`,
    );
  }
});

t.test('a line without end is not waited for', async t => {
  const block = Buffer.alloc(2 ** 20, 65);
  async function* endless() {
    for (;;) yield block;
  }
  await t.rejects(collected(linesOf(endless())), { code: 'E_LINE_LENGTH', message: new RegExp(String(maxLineBytes)) });
});

t.test('requests cross, several at once, and errors are what they were', async t => {
  const { lines, there, served } = pair(newAgent());
  const [hello, status, refused] = await Promise.allSettled([
    lines.request({ kind: 'hello', protocol: protocolVersion }),
    lines.request({ kind: 'status' }),
    lines.request({ kind: 'follow', id: 'nobody' }),
  ]);
  t.match(hello, { value: { robot: 'so101', protocol: protocolVersion } });
  t.match(status, { value: { robot: 'so101' } });
  t.match(refused, { reason: { code: 'E_DEPLOY_UNKNOWN', exit: 'usage', hint: /history/ } });
  t.ok((refused as PromiseRejectedResult).reason instanceof KitError);
  there.end();
  await served;
  await t.rejects(lines.request({ kind: 'status' }), { code: 'E_LOST' }, 'after the end nobody answers');
});

t.test('events come before their answer, to whom they belong', async t => {
  const agent = {
    answer: async (_: Request, { onEvent }: Asking): Promise<Answers['follow']> => {
      onEvent(entry);
      onEvent({ ...entry, event: 'committed' });
      return { outcome: 'committed', words: 'good' };
    },
  } as unknown as RobotAgent;
  const { lines, there, served } = pair(agent);
  const events: string[] = [];
  const answer = lines.request({ kind: 'follow', id: 'a' }, ({ event }) => events.push(event));
  t.same(await answer, { outcome: 'committed', words: 'good' });
  t.same(events, ['shadow', 'committed']);
  there.end();
  await served;
});

t.test('what is no request is refused under its number, and ends nothing', async t => {
  const there = new PassThrough();
  const back = new PassThrough();
  const served = serveLines(newAgent(), there, back).then(() => back.end());
  there.write('no JSON\n{"id": 7, "request": {"kind": "reboot"}}\nnull\n{"id": 8, "request": {"kind": "status"}}\n');
  there.end();
  const said = (await collected(linesOf(back))).map(line => JSON.parse(line) as { id: number; error?: unknown });
  await served;
  t.same(said.map(({ id }) => id).sort(), [0, 0, 7, 8]);
  for (const { id, error } of said) if (id !== 8) t.match(error, { code: 'E_AGENT_REQUEST', hint: /kit provision/ });
});

t.test('what installs is finished when the deployer has gone, what waits is let go', async t => {
  let finish = () => {};
  const events: string[] = [];
  const agent = {
    answer: async ({ kind }: Request, { signal }: Asking) => {
      if (kind === 'install')
        await new Promise<void>(resolve => {
          finish = resolve;
        });
      else while (!signal.aborted) await new Promise(resolve => setImmediate(resolve));
      events.push(kind);
      return {};
    },
  } as unknown as RobotAgent;
  const there = new PassThrough();
  const back = new PassThrough();
  const served = serveLines(agent, there, back).then(() => events.push('over'));
  const install = { kind: 'install', manifest: 'a'.repeat(64), skip: {}, by: 'me' };
  there.write(
    `${JSON.stringify({ id: 1, request: install })}\n${JSON.stringify({ id: 2, request: { kind: 'follow', id: 'a' } })}\n`,
  );
  back.destroy();
  there.end();
  await new Promise(resolve => setTimeout(resolve, 50));
  t.same(events, ['follow']);
  finish();
  await served;
  t.same(events, ['follow', 'install', 'over']);
});

t.test('who speaks something else is found out, and nobody waits', async t => {
  const said: unknown[] = [];
  const lost = async (cause?: unknown) => {
    said.push((cause as Error | undefined)?.message);
    return new KitError('E_SPEECH', 'it says something else', 'see there');
  };
  const back = new PassThrough();
  const lines = new AgentLines(back, new PassThrough(), lost);
  const pending = lines.request({ kind: 'status' });
  back.write('Welcome to Raspbian!\n');
  await t.rejects(pending, { code: 'E_SPEECH' });
  t.same(said, ["'Welcome to Raspbian!'"]);
});

t.test('an answer that does not fit its request is no answer', async t => {
  const agent = { answer: async () => ({ nothing: true }) } as unknown as RobotAgent;
  const { lines, there, served } = pair(agent);
  await t.rejects(lines.request({ kind: 'status' }), { code: 'E_AGENT_ANSWER', message: /'status'/ });
  there.end();
  await served;
});
