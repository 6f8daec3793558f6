/** Where things lie on a robot, below its root folder. `kit provision` puts them there and the robot's program finds them there. */
import { join } from 'node:path';

export interface RobotPlaces {
  /** Robot folder: `robot.json` and `site.json`. */
  readonly robot: string;
  /** Release store of policies. */
  readonly store: string;
  readonly logs: string;
  /** Where the service is told to start and stop. */
  readonly socket: string;
  /** What runs: `releases/<digest>/` and the link `current`. */
  readonly runtimes: string;
  readonly program: string;
}

/** Holds the broker's URL: on a command line everybody could read its password. */
export const brokerVariable = 'SIM2SERVO_MQTT';

/** Options of the robot's program that name other places; what they leave out is where it always is. */
export const placeOptions = {
  root: 'where the robot is installed (default: /)',
  robot: 'robot folder',
  store: 'release store of policies',
};

/** @param root default: where the program lies, which its start script says, else the machine's own */
export function robotPlaces(root = process.env.SIM2SERVO_ROOT ?? '/'): RobotPlaces {
  const at = (path: string) => join(root, path);
  return {
    robot: at('etc/sim2servo/robot'),
    store: at('var/lib/sim2servo/store'),
    logs: at('var/lib/sim2servo/logs'),
    socket: at('run/sim2servo/control.sock'),
    runtimes: at('opt/sim2servo'),
    program: at('usr/local/bin/sim2servo-robot'),
  };
}
