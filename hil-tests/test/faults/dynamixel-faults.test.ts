/** Every fault that can befall desk2 on dynamixel, done to the real loop, recorder and link (docs/hil.md). */
import t from 'tap';
import { dynamixelRobot } from '../support/dynamixel-robot.js';
import { suffers } from '../support/suffers.js';

t.test('dynamixel', async t => suffers(t, 'dynamixel', dynamixelRobot(t.testdir({}), ['xl430-w250', 'xl330-m288'])));
