import { topicsOf } from '@sim2servo/models/bridge-messages';
import t from 'tap';
import { discoveryOf } from '../../src/mqtt/discovery.js';

const topics = topicsOf('left');
const { topic, config } = discoveryOf('homeassistant', 'left', topics, ['shoulder', 'upper-arm']);

t.test('Home Assistant finds the device under its prefix, and knows when it is away', async t => {
  t.equal(topic, 'homeassistant/device/kit-left/config');
  t.match(config.device, { identifiers: ['kit-left'], name: 'left' });
  t.match(config.availability, { topic: topics.status, payload_available: 'online', payload_not_available: 'offline' });
});

t.test('each joint is a sensor on the telemetry, with an id of its own', async t => {
  t.match(config.components['joint-upper-arm'], {
    platform: 'sensor',
    state_topic: topics.telemetry,
    value_template: "{{ value_json.positionRad['upper-arm'] }}",
    unit_of_measurement: 'rad',
  });
  const ids = Object.values(config.components).map(component => (component as { unique_id: string }).unique_id);
  t.equal(new Set(ids).size, 6);
});

t.test('its one button holds the arm; nothing there moves it', async t => {
  t.match(config.components.hold, { platform: 'button', command_topic: topics.stop, retain: false });
  t.notMatch(JSON.stringify(config), topics.command);
});
