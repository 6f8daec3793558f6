/** Every fault that can befall desk2 on mqtt, done to the real loop, recorder and link (docs/hil.md). */
import t from 'tap';
import { feetechArm } from '../support/feetech-arm.js';
import { suffers } from '../support/suffers.js';

t.test('mqtt', async t => suffers(t, 'mqtt', feetechArm()));
