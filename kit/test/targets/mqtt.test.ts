import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RobotAgent } from '@sim2servo/deploy/agent/robot-agent';
import { serveMqtt } from '@sim2servo/deploy/robot/mqtt-agent';
import { connect } from '@sim2servo/deploy/targets/connect';
import { deployTopics, type RobotStatus } from '@sim2servo/deploy/targets/mqtt-messages';
import { connectMqtt } from '@sim2servo/deploy/targets/mqtt-target';
import { connectBroker } from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { MemoryBroker } from '@sim2servo/firmware-bridge/mqtt/memory-broker';
import { SharedClock } from '@sim2servo/firmware-bridge/mqtt/shared-clock';
import type { BrokerProcess } from '@sim2servo/hil-tests/rig/broker/broker-process';
import { startBroker } from '@sim2servo/hil-tests/rig/broker/start-broker';
import t from 'tap';
import { RobotFolder } from './bundles.js';
import { contract } from './contract.js';
import { CutProxy } from './cut-proxy.js';
import { robotProgram } from './robot-program.js';

const name = 'lab-3';
const broker = 'mqtt://broker.test';
/** Base64 and the message around each chunk, and what is sent again after a cut. */
const overhead = { share: 0.5, bytes: 8_000 };

t.test('a robot behind a broker in memory', async t => {
  const lacks = { agentProcess: 'it is in this process; the one behind a real broker is killed' };
  contract(
    t,
    async folder => {
      const robot = new RobotFolder(join(folder, 'desk'));
      const store = join(folder, 'store');
      const clock = new SharedClock();
      const memory = new MemoryBroker(clock);
      let over = false;
      const running = clock.keepPace(() => over);
      const end = new AbortController();
      const serving = serveMqtt({
        agent: new RobotAgent({ store, robot: robot.folder }),
        broker,
        name,
        connect: memory.connect,
        signal: end.signal,
        onEvent: () => {},
      });
      await sleep(700);
      const topics = deployTopics(name);
      let cutAt = Number.POSITIVE_INFINITY;
      const sentBytes = () =>
        memory.published.reduce(
          (sum, { topic, payload }) =>
            topic === topics.request || topic === topics.chunk ? sum + payload.length : sum,
          0,
        );
      let heard = 0;
      memory.delayUs = topic => {
        if (topic === topics.chunk && sentBytes() >= cutAt) {
          cutAt = Number.POSITIVE_INFINITY;
          memory.cut(/./);
          setTimeout(() => memory.mend(), 300);
          return undefined;
        }
        // Now and then one is lost on its way; what a lost chunk costs must not drown what is counted.
        return ++heard % (topic === topics.chunk ? 101 : 23) === 0 ? undefined : 500;
      };
      return {
        store,
        folder: robot,
        connect: () => connectMqtt({ broker, name, connect: memory.connect }),
        sentBytes,
        overhead: { share: 1.5, bytes: overhead.bytes },
        link: {
          cutAfter: bytes => {
            cutAt = sentBytes() + bytes;
          },
          heals: true,
        },
        async stop() {
          end.abort();
          await serving;
          over = true;
          await running;
        },
      };
    },
    lacks,
  );
});

const needsPosix = { skip: process.platform === 'win32' && "the robot's program needs a POSIX system" };

t.test('a robot behind a real broker, its agent a process of its own', needsPosix, async t => {
  let real: BrokerProcess;
  t.before(async () => {
    real = await startBroker();
  });
  t.after(() => real.stop());
  /** Until a status fits: what the broker keeps of the robot. */
  const statusThat = async (fits: (status: RobotStatus) => boolean): Promise<RobotStatus> => {
    let last: RobotStatus | undefined;
    const connection = await connectBroker({
      broker: real.url,
      clientId: `watch-${Math.random()}`,
      subscribe: [deployTopics(name).status],
      reconnect: false,
      onMessage: ({ payload }) => {
        last = JSON.parse(payload) as RobotStatus;
      },
      onChange: () => {},
    });
    try {
      for (const since = performance.now(); last === undefined || !fits(last); await sleep(50))
        if (performance.now() - since > 20_000) throw new Error(`it says only ${JSON.stringify(last)}`);
      return last;
    } finally {
      await connection.close();
    }
  };
  let kill: () => Promise<void>;

  contract(t, async folder => {
    const robot = new RobotFolder(join(folder, 'desk'));
    const store = join(folder, 'store');
    const proxy = await CutProxy.start(Number(new URL(real.url).port));
    let agent: ChildProcess | undefined;
    const serve = async () => {
      const args = ['serve', '--broker', real.url, '--name', name, '--store', store, '--robot', robot.folder];
      const child = spawn(process.execPath, [robotProgram, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      agent = child;
      let said = '';
      child.stderr.on('data', chunk => {
        said += chunk;
      });
      for (; !said.includes('serves'); await sleep(20))
        if (child.exitCode !== null) throw new Error(`the agent ended: ${said}`);
    };
    kill = async () => {
      if (agent === undefined) return;
      const gone = once(agent, 'exit');
      agent.kill('SIGKILL');
      agent = undefined;
      await gone;
    };
    await serve();
    return {
      store,
      folder: robot,
      async connect() {
        if (agent === undefined) await serve();
        return connectMqtt({ broker: `mqtt://127.0.0.1:${proxy.port}`, name, patienceMs: 3_000 });
      },
      sentBytes: () => proxy.sentBytes,
      overhead,
      link: {
        cutAfter: bytes => {
          proxy.cutAt = proxy.sentBytes + bytes;
        },
        heals: true,
      },
      killAgent: kill,
      async stop() {
        await kill();
        await proxy.stop();
      },
    };
  });

  t.test('how a robot is can be read by anybody, also when it is gone', async t => {
    const online = await statusThat(({ state }) => state === 'online');
    t.match(online, {
      state: 'online',
      health: /^(ready|untried)$/,
      status: { robot: 'so101', current: /^[0-9a-f]{64}$/ },
    });
    await kill();
    t.match(await statusThat(({ state }) => state === 'offline'), { reason: 'the connection broke off' });
    await t.rejects(connect(`${real.url}/${name}`), {
      code: 'E_TARGET_SILENT',
      message: /does not answer: it is offline, the connection broke off/,
      exit: 'noDevice',
    });
    await t.rejects(connect(`${real.url}/nobody`), { code: 'E_TARGET_SILENT', message: /was ever seen/ });
  });
});
