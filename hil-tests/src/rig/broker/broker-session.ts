/**
 * One client of the embedded broker, from CONNECT to its last will. A session ends with its connection, so nothing waits for a client that
 * is away, and nothing is sent twice. Left out, as no client here asks for it: QoS 2, topic aliases, subscription identifiers, shared
 * subscriptions, the delay of a will, AUTH. CONNACK says so where MQTT 5 has a word for it; a will is never delayed.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { messageOf } from '@sim2servo/models/error';
import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type ISubscription,
  type IUnsubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet';
import { isTopicFilter, isTopicName, matchesTopic } from './topic-filter.js';

export type Message = Pick<IPublishPacket, 'topic' | 'payload' | 'qos' | 'retain' | 'properties'>;

/** What a session has of its broker. */
export interface Exchange {
  /** Whoever was there under the same client identifier is ended. */
  enter(session: BrokerSession): void;
  leave(session: BrokerSession): void;
  /** @returns the reason code for its publisher */
  publish(message: Message, from: BrokerSession): number;
  /** What `reader` may read, each with the seconds that it has left. */
  retained(filter: string, reader: BrokerSession): Iterable<Message>;
}

/** MQTT 5, section 2.4. */
export const reason = {
  success: 0x00,
  disconnectWithWill: 0x04,
  noSubscriptionExisted: 0x11,
  malformed: 0x81,
  protocolError: 0x82,
  notAuthorized: 0x87,
  keepAliveTimeout: 0x8d,
  takenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  qosNotSupported: 0x9b,
  noSharedSubscriptions: 0x9e,
} as const;

/** All that MQTT 3 has to say to a version that it does not know (MQTT 3.1.1, section 3.2.2.3). */
const unacceptableVersion = 1;

const connectTimeoutMs = 10_000;
const maxPacketBytes = 2 ** 20;
/** A client that lags so far behind is cut off. */
const maxWaitingBytes = 2 ** 22;

export class BrokerSession {
  /** These two are known from CONNECT on. */
  clientId = '';
  user: string | undefined;
  readonly #socket: Socket;
  readonly #exchange: Exchange;
  readonly #parser = parser();
  readonly #subscriptions = new Map<string, ISubscription>();
  #connected = false;
  #silence: NodeJS.Timeout | undefined;
  #will: Message | undefined;
  #receiveMaximum = 65_535;
  #unacknowledged = 0;
  #messageId = 0;

  constructor(socket: Socket, exchange: Exchange) {
    this.#socket = socket.setNoDelay(true);
    this.#exchange = exchange;
    this.#silence = setTimeout(() => this.end(reason.keepAliveTimeout), connectTimeoutMs);
    this.#parser.on('packet', packet => this.#handle(packet));
    this.#parser.on('error', error => {
      throw error;
    });
    socket.on('data', bytes => this.#receive(bytes));
    // It closes after that, which is all that a broker has to know.
    socket.on('error', () => {});
    socket.on('close', () => this.#leave());
  }

  /** Says why, hangs up, and publishes the last will. */
  end(reasonCode: number, reasonString?: string): void {
    if (this.#connected)
      this.#write({ cmd: 'disconnect', reasonCode, ...(reasonString && { properties: { reasonString } }) });
    this.#hangUp();
  }

  /** Sends it on if it is subscribed to: once, however many of its filters fit. */
  offer(message: Message, from: BrokerSession): void {
    const fitting = [...this.#subscriptions.values()].filter(
      ({ topic, nl }) => matchesTopic(topic, message.topic) && !(nl === true && from === this),
    );
    if (fitting.length === 0) return;
    const retain = message.retain && fitting.some(({ rap }) => rap);
    this.#deliver({ ...message, retain }, Math.max(...fitting.map(({ qos }) => qos)));
  }

  #receive(bytes: Buffer): void {
    if (this.#socket.writableEnded) return;
    this.#silence?.refresh();
    try {
      if (this.#parser.parse(bytes) > maxPacketBytes)
        throw new Refusal(reason.packetTooLarge, 'the packet is too large');
    } catch (error) {
      // What cannot be read, or not be passed on, is the fault of this client alone.
      this.end(error instanceof Refusal ? error.reasonCode : reason.malformed, messageOf(error));
    }
  }

  #handle(packet: Packet): void {
    // What came together with the packet that it was ended for.
    if (this.#socket.writableEnded) return;
    if ((packet.cmd === 'connect') === this.#connected)
      throw new Refusal(reason.protocolError, 'CONNECT comes first, and once');
    switch (packet.cmd) {
      case 'connect':
        this.#connect(packet);
        break;
      case 'publish':
        this.#publish(packet);
        break;
      case 'puback':
        this.#unacknowledged--;
        break;
      case 'subscribe':
        this.#subscribe(packet);
        break;
      case 'unsubscribe':
        this.#unsubscribe(packet);
        break;
      case 'pingreq':
        this.#write({ cmd: 'pingresp' });
        break;
      case 'disconnect':
        if (packet.reasonCode !== reason.disconnectWithWill) this.#will = undefined;
        this.#hangUp();
        break;
      default:
        throw new Refusal(reason.protocolError, `no client sends ${packet.cmd} here`);
    }
  }

  #connect({ protocolVersion, clientId, username, keepalive = 0, will, properties }: IConnectPacket): void {
    if (protocolVersion !== 5 || will?.qos === 2) {
      this.#refuse(protocolVersion);
      return;
    }
    this.clientId = clientId || randomUUID();
    this.user = this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate().subject.CN : username;
    if (will !== undefined) {
      const { willDelayInterval: _, ...properties } = will.properties ?? {};
      this.#will = checked({ ...will, qos: will.qos ?? 0, retain: will.retain ?? false, properties });
    }
    this.#receiveMaximum = properties?.receiveMaximum ?? this.#receiveMaximum;
    clearTimeout(this.#silence);
    if (keepalive > 0) this.#silence = setTimeout(() => this.end(reason.keepAliveTimeout), keepalive * 1500);
    this.#exchange.enter(this);
    this.#connected = true;
    const limits = {
      sessionExpiryInterval: 0,
      maximumQoS: 1,
      maximumPacketSize: maxPacketBytes,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: false,
      ...(clientId === '' && { assignedClientIdentifier: this.clientId }),
    };
    this.#write({ cmd: 'connack', reasonCode: reason.success, sessionPresent: false, properties: limits });
  }

  /** Each version in its own words. */
  #refuse(protocolVersion: IConnectPacket['protocolVersion']): void {
    const code = protocolVersion === 5 ? { reasonCode: reason.qosNotSupported } : { returnCode: unacceptableVersion };
    this.#socket.write(generate({ cmd: 'connack', sessionPresent: false, ...code }, { protocolVersion }));
    this.#hangUp();
  }

  #publish({ topic, payload, qos, retain, properties, messageId }: IPublishPacket): void {
    if (qos === 2) throw new Refusal(reason.qosNotSupported, 'QoS 2 is not supported');
    if (properties?.topicAlias !== undefined)
      throw new Refusal(reason.topicAliasInvalid, `there is no topic alias ${properties.topicAlias}`);
    const message = checked({ topic, payload, qos, retain, ...(properties && { properties }) });
    const reasonCode = this.#exchange.publish(message, this);
    if (qos === 1) this.#write({ cmd: 'puback', messageId: messageId!, reasonCode });
  }

  #subscribe({ messageId, subscriptions }: ISubscribePacket): void {
    const granted = subscriptions.map(({ topic, qos }) => {
      if (topic.startsWith('$share/')) return reason.noSharedSubscriptions;
      return isTopicFilter(topic) ? Math.min(qos, 1) : reason.topicFilterInvalid;
    });
    const taken = subscriptions.filter((_, i) => granted[i]! <= 1);
    const greeted = taken.filter(({ topic, rh }) => rh === 0 || (rh === 1 && !this.#subscriptions.has(topic)));
    for (const subscription of taken) this.#subscriptions.set(subscription.topic, subscription);
    this.#write({ cmd: 'suback', messageId: messageId!, granted });
    for (const { topic, qos } of greeted)
      for (const message of this.#exchange.retained(topic, this)) this.#deliver(message, qos);
  }

  #unsubscribe({ messageId, unsubscriptions }: IUnsubscribePacket): void {
    const granted = unsubscriptions.map(topic =>
      this.#subscriptions.delete(topic) ? reason.success : reason.noSubscriptionExisted,
    );
    this.#write({ cmd: 'unsuback', messageId: messageId!, granted });
  }

  #deliver(message: Message, qos: number): void {
    if (this.#unacknowledged >= this.#receiveMaximum || this.#socket.writableLength > maxWaitingBytes) {
      this.#socket.destroy();
      return;
    }
    const publish = { ...message, cmd: 'publish', dup: false } as const;
    if (Math.min(qos, message.qos) === 0) {
      this.#write({ ...publish, qos: 0 });
      return;
    }
    this.#messageId = (this.#messageId % 65_535) + 1;
    this.#unacknowledged++;
    this.#write({ ...publish, qos: 1, messageId: this.#messageId });
  }

  #write(packet: Packet): void {
    this.#socket.write(generate(packet, { protocolVersion: 5 }));
  }

  #hangUp(): void {
    this.#socket.destroySoon();
    this.#leave();
  }

  /** At once, not when the socket has closed: whoever takes over comes after the last will. */
  #leave(): void {
    clearTimeout(this.#silence);
    this.#exchange.leave(this);
    const will = this.#will;
    this.#will = undefined;
    if (will !== undefined) this.#exchange.publish(will, this);
  }
}

/** Ends the connection of whoever did it. */
class Refusal extends Error {
  readonly reasonCode: number;

  constructor(reasonCode: number, message: string) {
    super(message);
    this.reasonCode = reasonCode;
  }
}

/** @throws Error where it could not be passed on: before anything is retained of it */
function checked(message: Message): Message {
  if (!isTopicName(message.topic)) throw new Refusal(reason.topicNameInvalid, `'${message.topic}' is no topic name`);
  // 2.2.2.2 and 3.3.2.3: each at most once, but for those of the user, which are no list.
  if (Object.values(message.properties ?? {}).some(Array.isArray))
    throw new Refusal(reason.protocolError, 'a property stands there twice');
  generate({ ...message, cmd: 'publish', dup: false, qos: 0 }, { protocolVersion: 5 });
  return message;
}
