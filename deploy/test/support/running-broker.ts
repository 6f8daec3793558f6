/** A broker in memory whose time runs with ours: for tests of processes that work meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerConnection } from '@sim2servo/firmware-bridge/mqtt/broker-connection';
import { MemoryBroker } from '@sim2servo/firmware-bridge/mqtt/memory-broker';
import { SharedClock } from '@sim2servo/firmware-bridge/mqtt/shared-clock';
import { type RobotMessage, robotMessageSchema } from '../../src/targets/mqtt-messages.js';

export class RunningBroker {
  readonly #clock = new SharedClock();
  readonly broker = new MemoryBroker(this.#clock);
  #over = false;
  readonly #running = this.#clock.keepPace(() => this.#over);

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** A client that says what it is told and keeps what it hears. */
  async client(topic: string): Promise<{ heard: RobotMessage[]; connection: BrokerConnection }> {
    const heard: RobotMessage[] = [];
    const connection = await this.broker.connect({
      broker: 'mqtt://broker.test',
      clientId: `a client of ${topic}`,
      subscribe: [topic],
      reconnect: false,
      onMessage: ({ payload }) => heard.push(robotMessageSchema.parse(JSON.parse(payload))),
      onChange: () => {},
    });
    return { heard, connection };
  }
}

/** Until something is so. */
export async function until(so: () => boolean, patienceMs = 20_000): Promise<void> {
  for (const since = performance.now(); !so(); await sleep(10))
    if (performance.now() - since > patienceMs) throw new Error('it never was so');
}
