/** A servo bus behind a bridge and a broker on the bench: host, broker, bridge and servos in one virtual time. */
import { MemoryBroker } from '@sim2servo/firmware-bridge/mqtt/memory-broker';
import { runBridge } from '@sim2servo/firmware-bridge/mqtt/mqtt-bridge';
import { MqttLink } from '@sim2servo/firmware-bridge/mqtt/mqtt-link';
import { type Command, type StateMessage, topicsOf } from '@sim2servo/models/bridge-messages';
import { KitError } from '@sim2servo/models/error';
import type { LoadedRobot } from '@sim2servo/models/robot-folder';
import type { AnyServo } from '../rig/bus/create-bus.js';
import { SharedLockstep } from '../rig/shared-lockstep.js';
import type { ArmUnderTest, Pose } from './arm-under-test.js';
import { ServoBusUnderTest } from './servo-bus-under-test.js';

const address = { broker: 'mqtt://memory' };
const deadlineMs = 100;
/** Opening, and listening whether it is alone, is over by then. */
const startUs = 3_000_000;
/** No run takes so long. */
const patienceUs = 60_000_000;

export class BrokerUnderTest implements ArmUnderTest {
  readonly bus = 'mqtt';
  readonly controlRateHz = 100;
  readonly robot: LoadedRobot;
  readonly clock: SharedLockstep;
  readonly link: MqttLink;
  readonly broker: MemoryBroker;
  /** What the bridge serves. */
  readonly behind: ServoBusUnderTest<AnyServo, SharedLockstep>;
  readonly topics;
  readonly #end = new AbortController();
  readonly #bridge: Promise<unknown>;
  #serves = false;

  private constructor(behind: ServoBusUnderTest<AnyServo, SharedLockstep>) {
    const { robot, clock } = behind;
    const { spec, specSha256, site } = robot;
    this.behind = behind;
    this.robot = { ...robot, site: { ...site, bus: { kind: 'mqtt', broker: address.broker, deadlineMs } } };
    this.clock = clock;
    this.topics = topicsOf(spec.name);
    this.broker = new MemoryBroker(clock);
    const { connect } = this.broker;
    this.#bridge = runBridge({
      robot,
      link: behind.link,
      clock,
      name: spec.name,
      address,
      deadlineMs,
      sampleHz: this.controlRateHz,
      signal: this.#end.signal,
      onEvent: () => {
        this.#serves = true;
      },
      connect,
    });
    this.link = new MqttLink({ clock, spec, specSha256, name: spec.name, deadlineMs, address, connect });
  }

  /** @param robot on its own bus. @throws KitError E_RIG_BUS, E_HIL_BRIDGE */
  static async create(this: void, robot: LoadedRobot): Promise<BrokerUnderTest> {
    const behind = await ServoBusUnderTest.create<AnyServo, SharedLockstep>(
      robot,
      device => new SharedLockstep(device),
    );
    const arm = new BrokerUnderTest(behind);
    let failure: unknown;
    arm.#bridge.catch((error: unknown) => {
      failure = error;
    });
    await arm.clock.pass(startUs, () => arm.#serves || failure !== undefined);
    if (!arm.#serves)
      throw failure ?? new KitError('E_HIL_BRIDGE', 'the bridge does not come up on the bench', 'report it', 'bug');
    return arm;
  }

  get trace(): readonly Pose[] {
    return this.behind.trace;
  }

  during<T>(work: Promise<T>): Promise<T> {
    return this.clock.during(work, patienceUs);
  }

  freezeSensors(): () => void {
    return this.behind.freezeSensors();
  }

  unplug(): void {
    this.behind.unplug();
  }

  replug(): void {
    this.behind.replug();
  }

  hostGone(): void {
    this.broker.cut(/kit-host/);
  }

  /** The last command that the host sent. */
  lastCommand(): Command {
    return this.#last(this.topics.command);
  }

  lastState(): StateMessage {
    return this.#last(this.topics.state);
  }

  #last<T>(topic: string): T {
    return JSON.parse(this.broker.published.findLast(message => message.topic === topic)!.payload) as T;
  }

  async dispose(): Promise<void> {
    this.#end.abort();
    // What ended it is a fault's doing, and was seen by the host.
    await this.during(this.#bridge.catch(() => {}));
    await this.behind.dispose();
  }
}
