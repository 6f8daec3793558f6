/** The seam to a broker, in memory and in virtual time, for rigs and tests: what is needed to hold messages back, repeat them, and cut connections. */
import { KitError } from '@sim2servo/models/error';
import type { BrokerConnection, ConnectOptions } from './broker-connection.js';
import type { SharedClock } from './shared-clock.js';

export class MemoryBroker {
  readonly #clock: SharedClock;
  readonly #clients = new Set<ConnectOptions>();
  readonly #cut = new Set<ConnectOptions>();
  readonly #retained = new Map<string, { readonly payload: string; readonly untilUs: number }>();
  /** Everything that was published, in order. */
  readonly published: { readonly topic: string; readonly payload: string; readonly retained: boolean }[] = [];
  /** One way, µs; undefined loses the message. */
  delayUs: (topic: string) => number | undefined = () => 1000;

  constructor(clock: SharedClock) {
    this.#clock = clock;
  }

  readonly connect = async (options: ConnectOptions): Promise<BrokerConnection> => {
    this.#clients.add(options);
    this.#greet(options);
    return {
      publish: (topic, payload, { retained = false, expiresS } = {}) => {
        if (!this.#clients.has(options)) return false;
        this.publish(topic, JSON.stringify(payload), retained, options, expiresS);
        return true;
      },
      close: async () => {
        this.#clients.delete(options);
        this.#cut.delete(options);
      },
    };
  };

  #greet(options: ConnectOptions): void {
    for (const [topic, { payload, untilUs }] of this.#retained)
      if (options.subscribe.includes(topic) && this.#clock.nowUs() < untilUs)
        this.#clock.after(0, () => options.onMessage({ topic, payload, retained: true }));
  }

  /** @param expiresS of what is retained */
  publish(
    topic: string,
    payload: string,
    retained = false,
    from?: ConnectOptions,
    expiresS = Number.POSITIVE_INFINITY,
  ): void {
    this.published.push({ topic, payload, retained });
    if (retained) this.#retained.set(topic, { payload, untilUs: this.#clock.nowUs() + expiresS * 1e6 });
    const delayUs = this.delayUs(topic);
    if (delayUs === undefined) return;
    const readers = [...this.#clients].filter(client => client !== from && client.subscribe.includes(topic));
    this.#clock.after(delayUs, () => {
      for (const client of readers) if (this.#clients.has(client)) client.onMessage({ topic, payload, retained });
    });
  }

  /** Cuts the connections of whoever `who` fits; their last wills are published. */
  cut(who: RegExp): void {
    for (const client of [...this.#clients].filter(({ clientId }) => who.test(clientId))) {
      this.#clients.delete(client);
      this.#cut.add(client);
      if (client.will !== undefined) this.publish(client.will.topic, JSON.stringify(client.will.payload), true);
      client.onChange(
        new KitError('E_BROKER_LOST', 'no connection with the broker: it was cut', 'mend it', 'noDevice'),
      );
    }
  }

  /** Those who try again succeed. */
  mend(): void {
    for (const client of this.#cut) {
      this.#cut.delete(client);
      if (!client.reconnect) continue;
      this.#clients.add(client);
      this.#greet(client);
      client.onChange(undefined);
    }
  }
}
