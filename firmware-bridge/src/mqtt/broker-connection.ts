/**
 * One client of an MQTT 5 broker, with what MQTT.js does by default and a robot must not have switched off: nothing is kept while there is
 * no connection and sent later, and nothing waits in a buffer to be sent together.
 */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { KitError, messageOf } from '@sim2servo/models/error';
import type { MqttClient } from 'mqtt';
import { type BrokerAddress, brokerError, hostAndPort } from './broker-error.js';

export interface BrokerMessage {
  readonly topic: string;
  readonly payload: string;
  /** As its publisher asked for it. */
  readonly retained: boolean;
}

export interface PublishOptions {
  /** Kept by the broker and given to whoever comes later; acknowledged. */
  readonly retained?: boolean;
  /** The broker forgets what it retains after this long; unless given, never. */
  readonly expiresS?: number;
}

/** The seam: link and bridge know no more of MQTT than this. */
export interface BrokerConnection {
  /** @returns false where it was not sent: there is no connection, or the network lags behind what was sent before */
  publish(topic: string, payload: object, options?: PublishOptions): boolean;
  /** Hands over what is to be retained, then leaves without a last will. */
  close(): Promise<void>;
}

export interface ConnectOptions extends BrokerAddress {
  readonly clientId: string;
  readonly subscribe: readonly string[];
  readonly will?: { readonly topic: string; readonly payload: object };
  /** Tries again when the connection has gone. */
  readonly reconnect: boolean;
  readonly onMessage: (message: BrokerMessage) => void;
  /** The connection has gone (why), or is there again, subscriptions and all (undefined). */
  readonly onChange: (gone: KitError | undefined) => void;
}

const connectTimeoutMs = 5_000;
const reconnectMs = 500;
/** More than a few messages that the system would not take yet: the network lags. */
const maxWaitingBytes = 4096;
/** A silent network is noticed after one and a half of these. The deadline of commands is what holds the arm. */
const keepaliveS = 2;
/** The broker drops what nobody took for this long: whole seconds are the finest that MQTT has. */
const expiryS = 1;

/** @throws KitError E_BROKER_FILE, E_BROKER_CONNECT, E_BROKER_TLS, E_BROKER_REFUSED */
export async function connectBroker(options: ConnectOptions): Promise<BrokerConnection> {
  const url = new URL(options.broker);
  const { host, port, secure } = hostAndPort(options.broker);
  const secureContext = secure ? secureContextOf(options) : undefined;
  // Loaded here: a command line that needs no broker does not wait for it. By its default: it is CommonJS, and of that a bundler's `import()`
  // has no names.
  const { default: mqtt } = await import('mqtt');
  const client = new mqtt.MqttClient(
    () => {
      const socket =
        secureContext === undefined
          ? connectTcp({ host, port })
          : connectTls({ host, port, secureContext, ...(isIP(host) === 0 && { servername: host }) });
      return socket.setNoDelay(true) as unknown as ReturnType<ConstructorParameters<typeof MqttClient>[0]>;
    },
    {
      protocolVersion: 5,
      clientId: options.clientId,
      clean: true,
      queueQoSZero: false,
      resubscribe: false,
      connectTimeout: connectTimeoutMs,
      reconnectPeriod: options.reconnect ? reconnectMs : 0,
      keepalive: keepaliveS,
      ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
      ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
      ...(options.will !== undefined && {
        will: {
          topic: options.will.topic,
          payload: Buffer.from(JSON.stringify(options.will.payload)),
          qos: 1,
          retain: true,
        },
      }),
    },
  );
  const connection = new ClientConnection(client, options);
  await connection.connected();
  return connection;
}

function secureContextOf({ ca, cert, key }: BrokerAddress): SecureContext {
  const pem = (path: string | undefined) => {
    try {
      return path === undefined ? undefined : readFileSync(path);
    } catch (error) {
      throw new KitError('E_BROKER_FILE', `can't read ${path}: ${messageOf(error)}`, 'name a PEM file', 'usage', {
        cause: error,
      });
    }
  };
  const files = { ca: pem(ca), cert: pem(cert), key: pem(key) };
  try {
    return createSecureContext(files);
  } catch (error) {
    throw new KitError(
      'E_BROKER_FILE',
      `${[ca, cert, key].filter(Boolean).join(', ')}: ${messageOf(error)}`,
      'name PEM files, and the key that belongs to the certificate',
      'usage',
      { cause: error },
    );
  }
}

class ClientConnection implements BrokerConnection {
  readonly #client: MqttClient;
  readonly #options: ConnectOptions;
  #changed: ConnectOptions['onChange'] = () => {};
  #error: Error | undefined;
  #up = false;
  #retained: Promise<unknown> = Promise.resolve();

  constructor(client: MqttClient, options: ConnectOptions) {
    this.#client = client;
    this.#options = options;
    client.on('error', error => {
      this.#error = error;
    });
    client.on('disconnect', ({ reasonCode }) => {
      this.#error = new Error(`it ended the connection, reason ${reasonCode}`);
    });
    client.on('message', (topic, payload, { retain }) =>
      options.onMessage({ topic, payload: payload.toString(), retained: retain }),
    );
    client.on('connect', () => void this.#subscribe());
    client.on('close', () => {
      this.#up = false;
      this.#changed(brokerError(options, this.#error));
    });
  }

  /** Resolves once everything is subscribed; the first failure ends it. */
  async connected(): Promise<void> {
    const failure = await new Promise<KitError | undefined>(resolve => {
      this.#changed = resolve;
    });
    this.#changed = this.#options.onChange;
    if (failure === undefined) return;
    this.#changed = () => {};
    await this.#client.endAsync(true);
    throw failure;
  }

  async #subscribe(): Promise<void> {
    // rap: the flag then says that its publisher asked to retain it, also where it arrives as it is published. nl: our own do not come back.
    const wanted = this.#options.subscribe.map(topic => [topic, { qos: 1, rap: true, nl: true }] as const);
    try {
      if (wanted.length > 0) await this.#client.subscribeAsync(Object.fromEntries(wanted));
    } catch (error) {
      // A connection that went meanwhile says so itself.
      if (!this.#client.connected) return;
      this.#error = error as Error;
      this.#client.stream.destroy();
      return;
    }
    this.#up = true;
    this.#error = undefined;
    this.#changed(undefined);
  }

  publish(topic: string, payload: object, { retained = false, expiresS }: PublishOptions = {}): boolean {
    const client = this.#client;
    if (!this.#up || (!retained && client.stream.writableLength > maxWaitingBytes)) return false;
    const text = JSON.stringify(payload);
    if (retained) {
      const properties = expiresS === undefined ? {} : { properties: { messageExpiryInterval: expiresS } };
      const sent = client.publishAsync(topic, text, { qos: 1, retain: true, ...properties });
      this.#retained = Promise.allSettled([this.#retained, sent]);
    } else client.publish(topic, text, { qos: 0, retain: false, properties: { messageExpiryInterval: expiryS } });
    return true;
  }

  async close(): Promise<void> {
    this.#changed = () => {};
    if (this.#up) await this.#retained;
    await this.#client.endAsync(!this.#up);
  }
}
