import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KitError } from '@sim2servo/models/error';
import t from 'tap';
import { RobotAgent } from '../../src/agent/robot-agent.js';
import { fleetStatus } from '../../src/fleet/fleet-status.js';
import { type FleetRobot, readFleet } from '../../src/fleet/inventory.js';
import { serveMqtt } from '../../src/robot/mqtt-agent.js';
import { deployTopics } from '../../src/targets/mqtt-messages.js';
import { FakeRobot, fakeStatus } from '../support/fake-robot.js';
import { RunningBroker, until } from '../support/running-broker.js';

const folder = t.testdir();
const patienceMs = 300;

function fleet(robots: object): readonly FleetRobot[] {
  const path = join(folder, 'fleet.json');
  writeFileSync(path, JSON.stringify({ format: 'sim2servo/fleet@1', robots }));
  return readFleet(path);
}

t.test(
  'what a broker retains is read: of those that are there, of those that are gone, of those that never were',
  async t => {
    const running = new RunningBroker();
    const connectToBroker = running.broker.connect;
    const robots = fleet({
      there: { to: 'mqtt://broker.test/there' },
      left: { to: 'mqtt://broker.test/left' },
      never: { to: 'mqtt://broker.test/never' },
    });
    const ends = ['there', 'left'].map(name => {
      const end = new AbortController();
      const failure = name === 'there' ? { code: 'E_SERVO_HOT', message: 'elbow is hot' } : undefined;
      const agent = new RobotAgent({ store: join(folder, name), robot: 'so101', driveError: async () => failure });
      const served = serveMqtt({
        agent,
        broker: 'mqtt://broker.test',
        name,
        connect: connectToBroker,
        signal: end.signal,
        onEvent: () => {},
      });
      return { end, served };
    });
    const said = (name: string, what: string) =>
      running.broker.published.some(
        ({ topic, payload }) => topic === deployTopics(name).status && payload.includes(what),
      );
    await until(() => said('there', 'online') && said('left', 'online'));
    ends[1]!.end.abort();
    await until(() => said('left', 'offline'));
    const connectRobot = async () => {
      throw new KitError('E_TARGET_SILENT', "no robot 'never' was ever seen", 'serve it', 'noDevice');
    };
    const reports = await fleetStatus(robots, { connectToBroker, connectRobot, patienceMs });
    t.match(reports, [
      {
        name: 'there',
        health: 'no policy',
        status: { robot: 'so101', runtimeVersion: /^\d/ },
        lastError: { code: 'E_SERVO_HOT', message: 'elbow is hot' },
      },
      { name: 'left', health: 'absent', lastError: { message: 'it is offline: the agent was ended' } },
      { name: 'never', health: 'absent', lastError: { message: "no robot 'never' was ever seen" } },
    ]);
    ends[0]!.end.abort();
    await Promise.all(ends.map(({ served }) => served));
    await running.stop();
  },
);

t.test('a robot that lost its power together with its broker is not there for ever', async t => {
  const running = new RunningBroker();
  const connectToBroker = running.broker.connect;
  const robots = fleet({ frozen: { to: 'mqtt://broker.test/frozen' }, alive: { to: 'mqtt://broker.test/alive' } });
  const statusExpiresS = 1;
  const end = new AbortController();
  const served = robots.map(({ name }) =>
    serveMqtt({
      agent: new RobotAgent({ store: join(folder, `${name} store`) }),
      broker: 'mqtt://broker.test',
      name,
      statusExpiresS,
      // What it publishes after its first status, and its last will, never arrive.
      connect: async options => {
        const connection = await connectToBroker(options);
        const { publish } = connection;
        let said = false;
        connection.publish = (topic, payload, more) => {
          if (name === 'frozen' && said) return true;
          said ||= topic === deployTopics(name).status;
          return publish(topic, payload, more);
        };
        return connection;
      },
      signal: end.signal,
      onEvent: () => {},
    }),
  );
  const connectRobot = async () => {
    throw new KitError('E_TARGET_SILENT', 'it does not answer', 'switch it on', 'noDevice');
  };
  const look = async () =>
    (await fleetStatus(robots, { connectToBroker, connectRobot, patienceMs })).map(({ health }) => health);
  await until(() => running.broker.published.filter(({ payload }) => payload.includes('online')).length >= 2);
  t.same(await look(), ['no policy', 'no policy']);
  await sleep(2 * statusExpiresS * 1000);
  t.same(await look(), ['absent', 'no policy'], 'who lives says so again and again');
  end.abort();
  await Promise.all(served);
  await running.stop();
});

t.test('a broker that is not there is the reason of every robot behind it, and of no other', async t => {
  const connectToBroker = async () => {
    throw new KitError('E_BROKER_CONNECT', 'nothing listens', 'start it', 'noDevice');
  };
  const robots = fleet({
    a: { to: 'mqtt://x/a' },
    b: { to: 'mqtt://x/b' },
    c: { to: 'c', robot: 'so101' },
    d: { to: 'd' },
  });
  mkdirSync(join(folder, 'c'));
  t.match(await fleetStatus(robots, { connectToBroker }), [
    { health: 'absent', lastError: { code: 'E_BROKER_CONNECT' } },
    { health: 'absent', lastError: { code: 'E_BROKER_CONNECT' } },
    { name: 'c', health: 'no policy', status: { robot: 'so101' } },
    { name: 'd', health: 'absent', lastError: { code: 'E_DEPLOY_TARGET' } },
  ]);
  t.notOk(existsSync(join(folder, 'd')), 'who only looks makes nothing');
});

t.test('the others are asked, eight at once, and let go', async t => {
  let open = 0;
  let most = 0;
  const robots = fleet(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`r${i}`, { to: `pi@r${i}` }])));
  const reports = await fleetStatus(robots, {
    connectRobot: async target => {
      const { destination } = target as { readonly destination: string };
      most = Math.max(most, ++open);
      if (destination === 'pi@r7') {
        open--;
        throw new KitError('E_TARGET_HOST_KEY', 'its key is another', 'see known_hosts', 'noDevice');
      }
      const robot = new FakeRobot();
      const lastError = { code: 'E_DEPLOY_REFUSED', message: 'unsigned' };
      robot.answers.status = () => ({ ...fakeStatus, current: 'a'.repeat(64), lastError });
      return Object.assign(robot, { close: async () => void open-- });
    },
  });
  t.equal(open, 0);
  t.equal(most, 8);
  t.match(reports[7], { name: 'r7', health: 'absent', lastError: { code: 'E_TARGET_HOST_KEY' } });
  t.match(reports[19], { name: 'r19', health: 'ready', lastError: { message: 'unsigned' } });
});

t.test('a status that nobody here can read is asked for', async t => {
  const running = new RunningBroker();
  const { connection } = await running.client('nobody');
  connection.publish(deployTopics('odd').status, { state: 'online', of: 'another kit' }, { retained: true });
  const robot = new FakeRobot();
  const reports = await fleetStatus(fleet({ odd: { to: 'mqtt://broker.test/odd' } }), {
    connectToBroker: running.broker.connect,
    connectRobot: async () => robot,
    patienceMs,
  });
  t.match(reports, [{ name: 'odd', health: 'no policy' }]);
  t.same(robot.asked, ['status']);
  await running.stop();
});

t.test('Ctrl-C ends the look', async t => {
  const end = new AbortController();
  const silent = fleetStatus(fleet({ a: { to: 'pi@a' } }), {
    connectRobot: () => new Promise(() => {}),
    signal: end.signal,
  });
  end.abort();
  await t.rejects(silent, { code: 'E_INTERRUPTED', exit: 'interrupt' });
});
