/**
 * What Home Assistant is told of a robot: one retained message for the whole device (MQTT device discovery, Home Assistant 2024.11), with
 * the measured angles, the arm's state, and a button that holds the arm.
 */
import type { Topics } from '@sim2servo/models/bridge-messages';

export function discoveryOf(prefix: string, name: string, topics: Topics, joints: readonly string[]) {
  const id = `kit-${name}`;
  const sensor = (key: string, label: string, value: string, more: object = {}) => ({
    [key]: {
      platform: 'sensor',
      name: label,
      unique_id: `${id}-${key}`,
      state_topic: topics.telemetry,
      value_template: `{{ value_json.${value} }}`,
      ...more,
    },
  });
  const components = Object.assign(
    sensor('device', 'Arm', 'device'),
    sensor('reason', 'Why', 'reason'),
    sensor('host', 'Moved by', 'host'),
    ...joints.map(joint =>
      sensor(`joint-${joint}`, joint, `positionRad['${joint}']`, {
        unit_of_measurement: 'rad',
        state_class: 'measurement',
        suggested_display_precision: 2,
      }),
    ),
    {
      hold: {
        platform: 'button',
        name: 'Hold',
        unique_id: `${id}-hold`,
        command_topic: topics.stop,
        payload_press: 'hold',
        retain: false,
      },
    },
  ) as Record<string, object>;
  return {
    topic: `${prefix}/device/${id}/config`,
    config: {
      device: { identifiers: [id], name, manufacturer: 'sim2servo' },
      origin: { name: 'sim2servo' },
      availability: {
        topic: topics.status,
        value_template: '{{ value_json.state }}',
        payload_available: 'online',
        payload_not_available: 'offline',
      },
      components,
    },
  };
}
