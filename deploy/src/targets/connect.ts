/** The one way to a robot that is deployed to: from what `--to` says. */
import type { BrokerAddress } from '@sim2servo/firmware-bridge/mqtt/broker-error';
import type { RobotConnection } from '../agent/protocol.js';
import { connectFolder } from './folder-target.js';
import { connectMqtt } from './mqtt-target.js';
import type { SshOptions } from './ssh-settings.js';
import { connectSsh } from './ssh-target.js';
import { parseTarget, type Target } from './target.js';

export interface ConnectOptions extends SshOptions, Omit<BrokerAddress, 'broker'> {
  /** Of a folder target: who the robot is, and whose signatures it trusts. Other robots know it themselves. */
  readonly robot?: string | undefined;
}

/** @throws KitError E_TARGET, E_TARGET_*, E_SSH_*, E_BROKER_* */
export async function connect(target: Target | string, options: ConnectOptions = {}): Promise<RobotConnection> {
  const to = typeof target === 'string' ? parseTarget(target) : target;
  switch (to.kind) {
    case 'folder':
      return connectFolder({ store: to.path, robot: options.robot });
    case 'ssh':
      return connectSsh(to, options);
    case 'mqtt':
      return connectMqtt({ ...options, broker: to.broker, name: to.name });
  }
}
