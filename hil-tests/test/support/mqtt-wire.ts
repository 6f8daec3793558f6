/** A client of a broker that says exactly what a test wants it to, packet by packet or byte by byte. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from 'mqtt-packet';

type Command = Packet['cmd'];

const patienceMs = 10_000;

export class MqttWire {
  readonly socket: Socket;
  /** What has come and was not looked at yet. */
  readonly heard: Packet[] = [];
  readonly #closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true);
    this.#closed = new Promise(resolve => socket.on('close', resolve));
    const packets = parser({ protocolVersion: 5 });
    packets.on('packet', packet => this.heard.push(packet));
    socket.on('data', bytes => packets.parse(bytes));
    // A broker may hang up by a reset; that it did is what `closed` tells.
    socket.on('error', () => {});
  }

  static async open(broker: string): Promise<MqttWire> {
    const socket = connect(Number(new URL(broker).port), '127.0.0.1');
    await once(socket, 'connect');
    return new MqttWire(socket);
  }

  /** Past CONNACK. */
  static async client(broker: string, more: Partial<IConnectPacket> = {}): Promise<MqttWire> {
    const wire = await MqttWire.open(broker);
    wire.connect(more);
    await wire.next('connack');
    return wire;
  }

  connect(more: Partial<IConnectPacket> = {}): void {
    const clientId = `wire-${Math.random()}`;
    this.send({ cmd: 'connect', protocolVersion: 5, clean: true, clientId, ...more });
  }

  /** All in one segment. */
  send(...packets: readonly Packet[]): void {
    this.socket.write(Buffer.concat(packets.map(packet => generate(packet, { protocolVersion: 5 }))));
  }

  publish(topic: string, payload: string, more: Partial<IPublishPacket> = {}): void {
    this.send({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false, ...more });
  }

  async subscribe(topic: string, more: { qos?: 0 | 1; nl?: boolean; rap?: boolean; rh?: number } = {}) {
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1, ...more }] });
    return (await this.next('suback')).granted;
  }

  /** The first of that kind that comes; what came before it stays in `heard`. */
  async next<C extends Command>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    for (const since = performance.now(); performance.now() - since < patienceMs; await sleep(2)) {
      const at = this.heard.findIndex(packet => packet.cmd === cmd);
      if (at >= 0) return this.heard.splice(at, 1)[0] as Extract<Packet, { cmd: C }>;
      if (this.socket.closed) break;
    }
    throw new Error(`no ${cmd} came, but ${this.heard.map(packet => packet.cmd).join(', ') || 'nothing'}`);
  }

  /** Everything published so far that reached this client: until its own answer to a ping is there. */
  async published(): Promise<IPublishPacket[]> {
    this.send({ cmd: 'pingreq' });
    await this.next('pingresp');
    const published = this.heard.filter((packet): packet is IPublishPacket => packet.cmd === 'publish');
    this.heard.length = 0;
    return published;
  }

  /** Once the broker has hung up. */
  async closed(): Promise<void> {
    await this.#closed;
  }
}
