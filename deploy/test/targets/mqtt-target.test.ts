import { join } from 'node:path';
import { sha256 } from '@sim2servo/models/digest';
import t from 'tap';
import { RobotAgent } from '../../src/agent/robot-agent.js';
import { serveMqtt } from '../../src/robot/mqtt-agent.js';
import { chunkBytes, deployTopics } from '../../src/targets/mqtt-messages.js';
import { connectMqtt } from '../../src/targets/mqtt-target.js';
import { RunningBroker, until } from '../support/running-broker.js';

const broker = 'mqtt://broker.test';
const name = 'lab-3';
const topics = deployTopics(name);
const folder = t.testdir();

function serve(running: RunningBroker) {
  const end = new AbortController();
  let up = false;
  const served = serveMqtt({
    agent: new RobotAgent({ store: join(folder, 'store'), robot: 'so101' }),
    broker,
    name,
    connect: running.broker.connect,
    signal: end.signal,
    onEvent: () => {
      up = true;
    },
  });
  return {
    up: () => until(() => up),
    end: async () => {
      end.abort();
      await served;
    },
  };
}
const connectTo = (running: RunningBroker, patienceMs = 2_000) =>
  connectMqtt({ broker, name, connect: running.broker.connect, patienceMs });

t.test('requests and files get through though a third of all messages is lost', async t => {
  const running = new RunningBroker();
  const agent = serve(running);
  await agent.up();
  let count = 0;
  running.broker.delayUs = () => (++count % 3 === 0 ? undefined : 300);
  const robot = await connectTo(running, 30_000);
  t.match(await robot.request({ kind: 'status' }), { robot: 'so101' });
  const content = Buffer.alloc(5 * chunkBytes + 1, 3);
  const digest = sha256(content);
  const told: number[] = [];
  await robot.request({ kind: 'lacking', files: [{ sha256: digest, bytes: content.length }] });
  await robot.send({ sha256: digest, content }, 0, bytes => told.push(bytes));
  t.equal(told.at(-1), content.length);
  t.same(
    told,
    [...told].sort((a, b) => a - b),
  );
  t.same(await robot.request({ kind: 'received', sha256: digest }), {});
  await robot.close();
  await agent.end();
  await running.stop();
});

t.test('no request of ours is retained, and each says until when it counts', async t => {
  const running = new RunningBroker();
  const agent = serve(running);
  await agent.up();
  const robot = await connectTo(running);
  await robot.request({ kind: 'status' });
  await robot.close();
  const asks = running.broker.published.filter(({ topic }) => topic === topics.request);
  t.ok(asks.length >= 4);
  t.ok(asks.every(({ retained }) => !retained));
  const sequences = asks.map(({ payload }) => JSON.parse(payload)).filter(({ kind }) => kind === 'ask');
  t.ok(sequences.every(({ untilMs, boot, session }) => untilMs > 0 && boot > 0 && session > 0));
  await agent.end();
  await running.stop();
});

t.test('a robot that was never there, and one that has gone, are told apart', async t => {
  const running = new RunningBroker();
  await t.rejects(connectTo(running), { code: 'E_TARGET_SILENT', message: /was ever seen/, exit: 'noDevice' });
  const agent = serve(running);
  await agent.up();
  const robot = await connectTo(running);
  await agent.end();
  await t.rejects(robot.request({ kind: 'status' }), {
    code: 'E_TARGET_LOST',
    message: /said nothing for 2 s: it is offline, the agent was ended/,
  });
  await robot.close();
  await t.rejects(connectTo(running), { code: 'E_TARGET_SILENT', message: /offline/ });
  await running.stop();
});

t.test(
  'an agent that was restarted knows nothing of what was asked: we are told, and nothing is done twice',
  async t => {
    const running = new RunningBroker();
    const first = serve(running);
    await first.up();
    const robot = await connectTo(running, 20_000);
    await first.end();
    const second = serve(running);
    await second.up();
    await t.rejects(robot.request({ kind: 'status' }), { code: 'E_TARGET_RESTARTED', hint: /deploy again/ });
    await robot.close();
    const again = await connectTo(running);
    t.match(await again.request({ kind: 'status' }), { robot: 'so101' });
    await again.close();
    await second.end();
    await running.stop();
  },
);

t.test('what is closed is closed', async t => {
  const running = new RunningBroker();
  const agent = serve(running);
  await agent.up();
  const robot = await connectTo(running);
  await robot.close();
  await t.rejects(robot.request({ kind: 'status' }), { code: 'E_TARGET_CLOSED' });
  await agent.end();
  await running.stop();
});
