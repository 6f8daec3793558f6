/** Every fault that can befall desk2 on kitlink, done to the real loop, recorder and link (docs/hil.md). */
import { loadRobot } from '@sim2servo/models/robot-folder';
import t from 'tap';
import { suffers } from '../support/suffers.js';

t.test('kitlink', async t => suffers(t, 'kitlink', loadRobot('desk2')));
