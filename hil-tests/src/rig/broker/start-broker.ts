/**
 * A real broker for a test: Mosquitto where the system has it, else the embedded one, so that what goes across a broker is tested everywhere
 * as bytes on a socket. `KIT_BROKER=embedded|mosquitto` chooses.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import { type BrokerOptions, BrokerProcess } from './broker-process.js';
import type { EmbeddedBrokerSetup } from './embedded-broker.js';
import { hasMosquitto, startMosquitto } from './mosquitto.js';

const starters = { embedded: startEmbeddedBroker, mosquitto: startMosquitto };

export type BrokerKind = keyof typeof starters;

/** Those that this machine has; the last is taken where nobody chooses. */
export const brokerKinds: readonly BrokerKind[] = hasMosquitto ? ['embedded', 'mosquitto'] : ['embedded'];

/** @throws KitError E_BROKER_KIND, E_BROKER_START, E_ACL_LINE */
export async function startBroker(
  options: BrokerOptions = {},
  kind: BrokerKind = brokerNamed(process.env.KIT_BROKER),
): Promise<BrokerProcess> {
  return starters[kind](options);
}

/** @throws KitError E_BROKER_KIND where this machine has none of that name */
export function brokerNamed(name: string | undefined): BrokerKind {
  const kind = name === undefined ? brokerKinds.at(-1) : brokerKinds.find(known => known === name);
  if (kind !== undefined) return kind;
  throw new KitError(
    'E_BROKER_KIND',
    `KIT_BROKER is '${name}', and this machine has: ${brokerKinds.join(', ')}`,
    'name one of these, or install mosquitto',
    'usage',
  );
}

function startEmbeddedBroker({ tls, acl }: BrokerOptions): Promise<BrokerProcess> {
  const program = fileURLToPath(new URL('./embedded-broker-process.js', import.meta.url));
  return BrokerProcess.start({
    scheme: tls === undefined ? 'mqtt' : 'mqtts',
    spawn(port) {
      const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
      child.send({ port, ...(tls && { tls }), ...(acl !== undefined && { acl }) } satisfies EmbeddedBrokerSetup);
      return child;
    },
    tidy() {},
  });
}
