/**
 * A small MQTT 5 broker on real sockets, for machines without Mosquitto: who is connected, who gets what, and what is retained. As Mosquitto
 * is set up for tests: anybody gets in, or with TLS whoever shows a certificate of the authority; nothing is kept when it ends.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type MayAccess, parseAccessList } from './access-list.js';
import type { BrokerOptions } from './broker-process.js';
import { BrokerSession, type Exchange, type Message, reason } from './broker-session.js';
import { matchesTopic } from './topic-filter.js';

export interface EmbeddedBrokerSetup extends BrokerOptions {
  readonly port: number;
}

export class EmbeddedBroker implements Exchange {
  readonly #may: MayAccess;
  readonly #sessions = new Map<string, BrokerSession>();
  readonly #retained = new Map<string, { readonly message: Message; readonly untilMs: number }>();

  /** @throws KitError E_ACL_LINE */
  constructor({ port, tls, acl }: EmbeddedBrokerSetup) {
    this.#may = acl === undefined ? () => true : parseAccessList(acl);
    const accept = (socket: Socket) => new BrokerSession(socket, this);
    const server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer(
            {
              ca: readFileSync(tls.ca),
              cert: readFileSync(tls.cert),
              key: readFileSync(tls.key),
              requestCert: true,
              rejectUnauthorized: true,
            },
            accept,
          );
    server.listen(port, '127.0.0.1');
  }

  enter(session: BrokerSession): void {
    this.#sessions.get(session.clientId)?.end(reason.takenOver);
    this.#sessions.set(session.clientId, session);
  }

  leave(session: BrokerSession): void {
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
  }

  publish(message: Message, from: BrokerSession): number {
    const { topic } = message;
    if (!this.#may(from.user, 'write', topic)) return reason.notAuthorized;
    if (message.retain) this.#retain(message);
    for (const session of this.#sessions.values())
      if (this.#may(session.user, 'read', topic)) session.offer(message, from);
    return reason.success;
  }

  #retain(message: Message): void {
    const expiresS = message.properties?.messageExpiryInterval ?? Number.POSITIVE_INFINITY;
    if (message.payload.length === 0) this.#retained.delete(message.topic);
    else this.#retained.set(message.topic, { message, untilMs: performance.now() + expiresS * 1000 });
  }

  *retained(filter: string, reader: BrokerSession): Iterable<Message> {
    for (const [topic, { message, untilMs }] of this.#retained) {
      const leftS = Math.ceil((untilMs - performance.now()) / 1000);
      if (leftS <= 0) this.#retained.delete(topic);
      else if (matchesTopic(filter, topic) && this.#may(reader.user, 'read', topic))
        yield leftS === Number.POSITIVE_INFINITY
          ? message
          : { ...message, properties: { ...message.properties, messageExpiryInterval: leftS } };
    }
  }
}
